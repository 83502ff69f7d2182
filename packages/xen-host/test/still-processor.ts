import type { Exit, Processor, ProcessorOptions, VcpuRegisters } from "aarch64";

const PAGE = 4096;

/** A processor that has memory and stage 2 but computes nothing: every `run` ends in WFI. For tests of what stands around it. */
export function createStillProcessor(options: ProcessorOptions): Processor {
  const pages = Math.ceil(options.ramBytes / PAGE) + options.extraPages;
  const memory = new WebAssembly.Memory({ initial: Math.ceil((pages * PAGE) / 65536) });
  const stage2 = new Map<number, number>();
  const registers = Array.from({ length: options.vcpus }, createRegisters);
  const exit: Exit = { kind: "wfi" };
  return {
    memory,
    ramOffset: options.extraPages * PAGE,
    extraPageOffset: (page) => page * PAGE,
    registers: (vcpu) => registers[vcpu] as VcpuRegisters,
    mapPage: (gfn, hostOffset) => void stage2.set(gfn, hostOffset),
    mapFreePages(gfn, count, hostOffset) {
      const free = Array.from({ length: count }, (_, i) => gfn + i).filter((frame) => !stage2.has(frame));
      free.forEach((frame, i) => stage2.set(frame, hostOffset + i * PAGE));
      return free.length;
    },
    unmapPage: (gfn) => void stage2.delete(gfn),
    lookupPage: (gfn) => stage2.get(gfn),
    invalidateCode: () => undefined,
    park: () => "given up",
    run: () => exit,
    retired: 0,
    trace: undefined,
    compilerStatistics: undefined,
    regions: () => [],
    region: () => undefined,
    setIrq: () => undefined,
    completeRead: () => undefined,
    completeWrite: () => undefined,
    skipInstruction: () => undefined,
    injectUndefined: () => undefined,
    injectAbort: () => undefined,
    translate: () => undefined,
    saveVcpu: () => ({ version: 1, x: [], v: [], pc: 0n, pstate: 0n, sysregs: {} }),
    loadVcpu: () => undefined,
    resetVcpu: () => undefined,
  };
}

function createRegisters(): VcpuRegisters {
  const x = Array.from({ length: 31 }, () => 0n);
  const named = new Map<string, bigint>();
  return {
    x: (n) => x[n] ?? 0n,
    setX: (n, value) => void (n < 31 && (x[n] = value)),
    pc: 0n,
    pstate: 0x3c5n,
    get: (name) => named.get(name) ?? 0n,
    set: (name, value) => void named.set(name, value),
    v: () => [0n, 0n],
    setV: () => undefined,
  };
}
