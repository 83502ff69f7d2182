import type { PerfCounterName, PerfCounterRow, PerfTable } from "./table.js";

/** What a query gives for one counter. */
export interface PerfCounterValues {
  readonly name: string;
  readonly label: string;
  readonly isArray: boolean;
  /** Per slot for an array counter (summed over the pCPUs), else per pCPU. */
  readonly values: readonly number[];
  /** Per pCPU in any case. */
  readonly perCpu: readonly number[];
}

/** Counters of one machine: unsigned, 32 bits wide per pCPU and slot; they wrap as Xen's do. */
export interface Perfc<N extends string = string> {
  readonly nrCpus: number;
  /** The pCPU that `incr` and `add` count for; the scheduler moves it. */
  cpu: number;
  /** Counts one. `slot` chooses the slot of an array counter; one beyond its end is not counted. */
  incr(name: N, slot?: number): void;
  add(name: N, amount: number, slot?: number): void;
  /** Sum over all pCPUs and slots. */
  total(name: N): number;
  /** Every counter in table order, as XEN_SYSCTL_PERFCOP_query gives them. */
  query(): PerfCounterValues[];
  /** Zeroes every counter but the statuses. */
  reset(): void;
  save(): PerfcRecord;
  /** Takes what has the same name; other counters are left alone. */
  load(record: PerfcRecord): void;
}

/** Saved counters: per name the raw values, pCPU after pCPU. */
export interface PerfcRecord {
  readonly version: 1;
  readonly counters: Readonly<Record<string, readonly number[]>>;
}

interface Counter {
  readonly row: PerfCounterRow;
  readonly slots: number;
  readonly values: Uint32Array;
}

/** Concatenates the tables and makes their counters for `nrCpus` pCPUs. Throws on a name that comes twice. */
export function createPerfc<const T extends readonly PerfTable[]>(tables: T, nrCpus: number): Perfc<PerfCounterName<T[number]>> {
  const counters = new Map<string, Counter>();
  for (const row of tables.flat()) {
    if (counters.has(row.name)) throw new Error(`perfc: counter "${row.name}" is in the tables twice; rename one`);
    const slots = row.size ?? 1;
    counters.set(row.name, { row, slots, values: new Uint32Array(slots * nrCpus) });
  }
  const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0);
  const pick = ({ values, slots }: Counter, keep: (cpu: number, slot: number) => boolean): number =>
    sum(values.filter((_, i) => keep(Math.floor(i / slots), i % slots)));
  const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

  return {
    nrCpus,
    cpu: 0,
    incr(name, slot = 0) {
      this.add(name, 1, slot);
    },
    add(name, amount, slot = 0) {
      const counter = counters.get(name)!;
      if (slot < counter.slots) counter.values[this.cpu * counter.slots + slot]! += amount;
    },
    total: (name) => sum(counters.get(name)!.values),
    query: () =>
      [...counters.values()].map((counter) => {
        const perCpu = upTo(nrCpus).map((cpu) => pick(counter, (at) => at === cpu));
        const isArray = counter.row.size !== undefined;
        const values = isArray ? upTo(counter.slots).map((slot) => pick(counter, (_, at) => at === slot)) : perCpu;
        return { name: counter.row.name, label: counter.row.label, isArray, values, perCpu };
      }),
    reset() {
      for (const { row, values } of counters.values()) if (row.isStatus !== true) values.fill(0);
    },
    save: () => ({ version: 1, counters: Object.fromEntries([...counters].map(([name, { values }]) => [name, [...values]])) }),
    load(record) {
      for (const [name, values] of Object.entries(record.counters)) counters.get(name)?.values.set(values.slice(0, counters.get(name)!.values.length));
    },
  };
}
