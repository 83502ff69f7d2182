import fc from "fast-check";
import { expect, it } from "vitest";
import { acknowledge, endOfInterrupt } from "./vgic-cpu-interface.js";
import { clearEnable, setEnable, writePriority } from "./vgic-rank.js";
import { loadVgic, saveVgic } from "./vgic-save.js";
import { bankOf, bestPending, canSignal, clearPendingIrqs, createVgic, injectIrq, setLine, setTarget, testBit, type Vgic, withdrawIrq } from "./vgic.js";

const NR_VCPUS = 3;
const NR_IRQS = 64;

/** One step that a guest, a device or the hypervisor takes. */
interface Step {
  readonly kind: "inject" | "withdraw" | "raise" | "lower" | "ack" | "enable" | "disable" | "priority" | "route" | "off" | "on";
  readonly vcpu: number;
  readonly intid: number;
  readonly value: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom("inject", "withdraw", "raise", "lower", "ack", "enable", "disable", "priority", "route", "off", "on"),
  vcpu: fc.nat(NR_VCPUS - 1),
  intid: fc.nat(NR_IRQS - 1),
  value: fc.nat(255),
});

/** A GIC with everything open, and what its outputs show. */
function create(): { gic: Vgic; online: boolean[]; irq: boolean[]; active: number[][] } {
  const online = [true, true, true];
  const irq = [false, false, false];
  const gic = createVgic(3, 32, {
    nrVcpus: NR_VCPUS,
    setIrq: (id, isHigh) => void (irq[id] = isHigh),
    kick: () => {},
    isOnline: (id) => online[id]!,
    isUpcallPending: () => true,
    count: () => {},
  });
  for (const cpu of gic.cpus) Object.assign(cpu, { pmr: 0xf8, groupEnabled: true });
  return { gic, online, irq, active: [[], [], []] };
}

function apply({ gic, online, active }: ReturnType<typeof create>, { kind, vcpu, intid, value }: Step): void {
  const cpu = gic.cpus[vcpu]!;
  const bit = 1 << (intid & 31);
  if (kind === "inject") injectIrq(gic, vcpu, intid);
  else if (kind === "withdraw") withdrawIrq(gic, vcpu, intid);
  else if (kind === "raise" || kind === "lower") setLine(gic, vcpu, intid, kind === "raise");
  else if (kind === "enable") setEnable(cpu, intid >>> 5, bit);
  else if (kind === "disable") clearEnable(cpu, intid >>> 5, bit);
  else if (kind === "priority") writePriority(cpu, intid, 1, value);
  else if (kind === "route") setTarget(gic, intid & 31, vcpu);
  else if (kind === "off") online[vcpu] = false;
  else if (kind === "on") {
    if (!online[vcpu]) clearPendingIrqs(gic, vcpu);
    online[vcpu] = true;
  } else {
    const taken = acknowledge(cpu);
    if (taken !== 1023) active[vcpu]!.push(taken);
    else if (active[vcpu]!.length > 0) endOfInterrupt(cpu, active[vcpu]!.pop()!);
  }
}

it("whatever happens, each pending interrupt is queued once, and the output tells whether one can be taken", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const world = create();
      for (const each of steps) {
        apply(world, each);
        const queued = world.gic.cpus.flatMap((cpu) => cpu.pending.map((intid) => (intid < 32 ? cpu.id * 1000 + intid : intid)));
        expect(new Set(queued).size).toBe(queued.length);
        for (const cpu of world.gic.cpus) {
          for (const intid of cpu.pending) {
            const bank = bankOf(cpu, intid);
            const n = intid - bank.first;
            expect(testBit(bank.queued, n) && (testBit(bank.latched, n) || testBit(bank.line, n))).toBe(true);
          }
          expect(world.irq[cpu.id]).toBe(canSignal(cpu, bestPending(cpu)));
        }
      }
      const copy = create();
      loadVgic(copy.gic, structuredClone(saveVgic(world.gic)));
      expect(saveVgic(copy.gic)).toEqual(saveVgic(world.gic));
      expect(copy.irq).toEqual(world.irq);
    }),
    { numRuns: 150, seed: 1 },
  );
});
