import type { RowName } from "./rows.js";

/** One figure. `ours` and `qemu` are in `unit`; `ratio` is ours / qemu as speed, above 1 is faster (or smaller), null where there is nothing to compare. */
export interface Row {
  readonly name: RowName;
  readonly unit: "MIPS" | "s" | "ms" | "MiB" | "%" | "times";
  readonly ours: number;
  readonly qemu: number | null;
  readonly ratio: number | null;
}

/** Makes a row; in MIPS more is better, in all other units less. */
export function row(name: RowName, unit: Row["unit"], ours: number, qemu: number | null = null): Row {
  const ratio = qemu === null ? null : unit === "MIPS" ? ours / qemu : qemu / ours;
  return { name, unit, ours, qemu, ratio };
}

/** The middle one of some values (of an even number the upper). */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** Geometric mean. */
export function geomean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** The rows as a table for people. */
export function formatTable(rows: readonly Row[]): string {
  const cells = [["name", "unit", "ours", "qemu", "ratio"], ...rows.map((r) => [r.name, r.unit, figure(r.ours), figure(r.qemu), figure(r.ratio)])];
  return formatColumns(cells, 2);
}

/** Lines of cells in columns, the first few to the left, the others to the right. */
export function formatColumns(cells: readonly (readonly string[])[], left: number): string {
  const widths = cells[0]?.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0))) ?? [];
  return cells
    .map((line) => line.map((cell, column) => (column < left ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join("  "))
    .join("\n");
}

/** Three significant digits. */
function figure(value: number | null): string {
  if (value === null) return "-";
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
