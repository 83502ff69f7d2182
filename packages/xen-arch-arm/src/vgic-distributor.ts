import { createRegisterFile, type MmioDevice, type MmioRegister } from "./io.js";
import type { VgicCpu } from "./vgic.js";

/** Where the distributor is, and its registers. */
export interface DistributorOptions {
  readonly base: number;
  readonly size: number;
  readonly registers: readonly MmioRegister<VgicCpu>[];
}

/** The GICD of either version: a register file whose accesses are counted. */
export function createDistributor({ base, size, registers }: DistributorOptions): MmioDevice<VgicCpu> {
  const file = createRegisterFile(size, registers);
  return {
    base,
    size,
    read(cpu, offset, bytes) {
      cpu.gic.host.count("vgicd_reads");
      return file.read(cpu, offset, bytes);
    },
    write(cpu, offset, bytes, value, high) {
      cpu.gic.host.count("vgicd_writes");
      return file.write(cpu, offset, bytes, value, high);
    },
  };
}
