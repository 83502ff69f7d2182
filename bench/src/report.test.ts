import { expect, test } from "vitest";
import { formatTable, geomean, median, row } from "./report.js";

test("the ratio is a speed: above 1 is faster, whatever the unit", () => {
  expect(row("sort", "MIPS", 200, 800).ratio).toBe(0.25);
  expect(row("boot-to-init", "s", 4, 2).ratio).toBe(0.5);
  expect(row("xl-list", "ms", 80).ratio).toBeNull();
});

test("means", () => {
  expect(median([5, 1, 3])).toBe(3);
  expect(geomean([1, 4, 16])).toBeCloseTo(4);
});

test("the table lines up, with a dash where QEMU has no counterpart", () => {
  expect(formatTable([row("sort", "MIPS", 187.26, 740.1), row("xl-list", "ms", 61.234)])).toBe(
    ["name     unit  ours  qemu  ratio", "sort     MIPS   187   740  0.253", "xl-list  ms    61.2     -      -"].join("\n"),
  );
});
