import type { Processor, VcpuRecord } from "aarch64";
import { type Domain, type VcpuGuestContext, vcpusOf } from "xen-common";
import { archDomain, type ArchDomain, archVcpu, processorOf } from "./include/asm/domain.js";
import { isRam, PAGE_SIZE } from "./p2m.js";
import { loadVgic, saveVgic, type VgicRecord } from "./vgic-save.js";
import type { Vpl011Record } from "./vpl011.js";
import { loadVtimer, saveVtimer, ticksAt, type VtimerRecord } from "./vtimer.js";

/** A run of guest frames with RAM; `bytes` only where they are not all zero. */
export interface RamRecord {
  readonly gfn: number;
  readonly pages: number;
  readonly bytes: Uint8Array | undefined;
}

/** Arm's state of a domain; common code's is `DomainRecord` of xen-common. */
export interface ArchDomainRecord {
  readonly version: 1;
  readonly gic: VgicRecord;
  readonly vpl011: Vpl011Record | undefined;
  /** CNTVCT_EL0 at the moment of saving. */
  readonly virtualCounter: number;
  readonly vcpus: readonly { readonly registers: VcpuRecord; readonly virtTimer: VtimerRecord; readonly physTimer: VtimerRecord }[];
  readonly resume: { readonly vcpuId: number; readonly context: VcpuGuestContext } | undefined;
  readonly ram: readonly RamRecord[];
}

const GUEST_FRAMES = 1 << 20;

/** Saves a domain with memory; it must not be running. */
export function archDomainSave(d: Domain): ArchDomainRecord {
  const ad = archDomain(d);
  const processor = processorOf(ad);
  return {
    version: 1,
    gic: saveVgic(ad.vgic),
    vpl011: ad.vpl011?.save(),
    virtualCounter: ticksAt(d.xen.clock.now()) - ad.counterOffset,
    vcpus: vcpusOf(d).map((v) => ({
      registers: processor.saveVcpu(v.vcpuId),
      virtTimer: saveVtimer(archVcpu(v).virtTimer),
      physTimer: saveVtimer(archVcpu(v).physTimer),
    })),
    resume: ad.resume && { vcpuId: ad.resume.vcpu.vcpuId, context: ad.resume.context },
    ram: saveRam(ad, processor),
  };
}

/** Frames with RAM, in runs that are zero or are not. */
function saveRam(ad: ArchDomain, processor: Processor): RamRecord[] {
  const words = new BigUint64Array(processor.memory.buffer);
  const memory = new Uint8Array(processor.memory.buffer);
  const kindOf = (gfn: number): "none" | "zero" | "data" => {
    const offset = processor.lookupPage(gfn);
    if (offset === undefined || !isRam(ad.p2m!, offset)) return "none";
    return words.subarray(offset / 8, (offset + PAGE_SIZE) / 8).some((word) => word !== 0n) ? "data" : "zero";
  };
  const runs: RamRecord[] = [];
  for (let gfn = 0; gfn < GUEST_FRAMES; ) {
    const kind = kindOf(gfn);
    let pages = 1;
    while (gfn + pages < GUEST_FRAMES && kindOf(gfn + pages) === kind) pages++;
    if (kind === "zero") runs.push({ gfn, pages, bytes: undefined });
    else if (kind === "data") {
      const bytes = new Uint8Array(pages * PAGE_SIZE);
      for (let page = 0; page < pages; page++) {
        const offset = processor.lookupPage(gfn + page)!;
        bytes.set(memory.subarray(offset, offset + PAGE_SIZE), page * PAGE_SIZE);
      }
      runs.push({ gfn, pages, bytes });
    }
    gfn += pages;
  }
  return runs;
}

/** Loads into a new domain of the same shape that has its vCPUs and its memory limit; the virtual counter goes on where it stopped. */
export function archDomainLoad(d: Domain, record: ArchDomainRecord): void {
  const ad = archDomain(d);
  const { arch, clock } = d.xen;
  for (const { gfn, pages, bytes } of record.ram) {
    const rc = arch.populate(d, gfn, pages);
    if (rc !== 0) throw new RangeError(`no room for ${pages} pages at frame 0x${gfn.toString(16)}: ${rc}; raise the domain's memory limit before loading`);
    if (bytes !== undefined) arch.writeGuest(d, gfn * PAGE_SIZE, bytes);
  }
  const processor = processorOf(ad);
  ad.counterOffset = ticksAt(clock.now()) - record.virtualCounter;
  for (const [id, { registers, virtTimer, physTimer }] of record.vcpus.entries()) {
    const av = archVcpu(d.vcpus[id]!);
    processor.loadVcpu(id, registers);
    loadVtimer(av.virtTimer, virtTimer, ad.counterOffset);
    loadVtimer(av.physTimer, physTimer, 0);
  }
  loadVgic(ad.vgic, record.gic);
  for (const cpu of ad.vgic.cpus) processor.setIrq(cpu.id, cpu.irq);
  if (record.vpl011 !== undefined) ad.vpl011?.load(record.vpl011);
  ad.resume = record.resume && { vcpu: d.vcpus[record.resume.vcpuId]!, context: record.resume.context };
}
