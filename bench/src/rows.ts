/** Every row that the benchmark can print, by the part that measures it. SPECIFICATION.md has the same rows; a test says so. */
export const ROWS = {
  commands: ["xl-list", "node-alone", "xl-list-to-node"],
  create: ["xl-create-paused"],
  compute: ["integer", "chase-near", "chase-far", "copy", "copy-bytes", "sha256", "sieve", "matrix", "sort", "bytecode", "calls", "compute-geomean"],
  suspend: ["xl-resume", "resume-to-first-log", "memory-running", "memory-suspended", "memory-beside-guest-pages"],
  latency: ["suspend-to-shutdown", "resume-to-first-output", "resume-in-host"],
  boot: ["boot-to-init", "boot-again", "compile-share", "engine-share", "live-code"],
  scenario: ["scenario", "scenario-again"],
  parallel: ["two-guests"],
  userland: ["tar-gzip", "sha256sum", "python", "sqlite"],
  fleet: ["suspended-200"],
} as const;

/** A part of the benchmark. */
export type Part = keyof typeof ROWS;

/** The name of a row. */
export type RowName = (typeof ROWS)[Part][number];

/** Which rows are wanted. */
export interface Choice {
  includes(row: RowName): boolean;
  /** True if any row of a part is. */
  needs(part: Part): boolean;
}

/** Parts that take so long that they are only measured when they are named. */
const ONLY_BY_NAME: readonly Part[] = ["fleet"];

/** The rows and parts that `names` name; if there are none, all but those that take very long. Throws an Error that names one that does not exist. */
export function chooseRows(names: readonly string[]): Choice {
  const all = Object.values(ROWS).flat() as RowName[];
  const unknown = names.find((name) => !Object.hasOwn(ROWS, name) && !all.some((row) => row === name));
  if (unknown !== undefined) throw new Error(`There is no row "${unknown}"; rows and parts are ${[...Object.keys(ROWS), ...all].join(", ")}.`);
  const usual = (Object.keys(ROWS) as Part[]).filter((part) => !ONLY_BY_NAME.includes(part));
  const wanted = names.length === 0 ? usual : names;
  const chosen = new Set<RowName>(wanted.flatMap((name) => (Object.hasOwn(ROWS, name) ? ROWS[name as Part] : [name as RowName])));
  return { includes: (row) => chosen.has(row), needs: (part) => ROWS[part].some((row) => chosen.has(row)) };
}
