/** One counter: `name` is how code counts it, `label` how it is shown. */
export interface PerfCounterRow {
  readonly name: string;
  readonly label: string;
  /** Slots of an array counter; left out for a single one. */
  readonly size?: number;
  /** A status shows a present state, so `reset` keeps it. */
  readonly isStatus?: true;
}

/** Counters in the order in which they are shown. */
export type PerfTable = readonly PerfCounterRow[];

/** The names of a table's counters, as a type: a misspelt name does not compile. */
export type PerfCounterName<T extends PerfTable> = T[number]["name"];

/**
 * Keeps a table's names as types. An exported table is written `[...] as const` instead, which says the same and
 * which `isolatedDeclarations` can read.
 */
export function definePerfCounters<const T extends PerfTable>(rows: T): T {
  return rows;
}
