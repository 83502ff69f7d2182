import { type IrqBank, updateIrq, type Vgic, type VgicCpu } from "./vgic.js";

const SETS = ["enabled", "latched", "line", "active", "queued", "config", "priority", "target", "holder"] as const;
const SCALARS = ["pmr", "bpr0", "bpr1", "ctlr", "groupEnabled", "group0Enabled", "apr", "apr0", "groupMask", "isSplitEoi"] as const;

type BankRecord = { readonly [K in (typeof SETS)[number]]: readonly number[] };
type CpuScalars = Pick<VgicCpu, (typeof SCALARS)[number]>;

/** Plain data of a GIC. */
export interface VgicRecord {
  readonly version: 1;
  readonly gicVersion: Vgic["version"];
  readonly nrSpis: number;
  readonly ctlr: number;
  readonly spis: BankRecord;
  readonly cpus: readonly (CpuScalars & { readonly local: BankRecord; readonly pending: readonly number[] })[];
}

const saveBank = (bank: IrqBank): BankRecord => Object.fromEntries(SETS.map((set) => [set, [...bank[set]]])) as unknown as BankRecord;

function loadBank(bank: IrqBank, record: BankRecord): void {
  for (const set of SETS) bank[set].set(record[set]);
}

/** All state of a GIC, as plain data. */
export function saveVgic(gic: Vgic): VgicRecord {
  return {
    version: 1,
    gicVersion: gic.version,
    nrSpis: gic.nrSpis,
    ctlr: gic.ctlr,
    spis: saveBank(gic.spis),
    cpus: gic.cpus.map((cpu) => ({
      ...(Object.fromEntries(SCALARS.map((name) => [name, cpu[name]])) as unknown as CpuScalars),
      local: saveBank(cpu.local),
      pending: [...cpu.pending],
    })),
  };
}

/** Loads into a GIC of the same shape. Throws a RangeError if it has another. */
export function loadVgic(gic: Vgic, record: VgicRecord): void {
  if (record.gicVersion !== gic.version || record.nrSpis !== gic.nrSpis || record.cpus.length !== gic.cpus.length) {
    throw new RangeError(
      `the record is of a GICv${record.gicVersion} with ${record.nrSpis} SPIs and ${record.cpus.length} vCPUs; this one is a GICv${gic.version} with ${gic.nrSpis} and ${gic.cpus.length}`,
    );
  }
  gic.ctlr = record.ctlr;
  loadBank(gic.spis, record.spis);
  for (const [id, { local, pending, ...scalars }] of record.cpus.entries()) {
    const cpu = gic.cpus[id]!;
    Object.assign(cpu, scalars);
    loadBank(cpu.local, local);
    cpu.pending.splice(0, Infinity, ...pending);
    updateIrq(cpu);
  }
}
