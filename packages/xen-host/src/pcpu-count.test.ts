import { expect, it } from "vitest";
import { pcpuCount } from "./pcpu-count.js";

it.each<[string | undefined, number, number]>([
  [undefined, 1, 1],
  [undefined, 2, 2],
  ["", 4, 4],
  [undefined, 64, 64],
  [undefined, 96, 64],
  ["1", 2, 1],
  ["2", 1, 2],
  ["64", 2, 64],
])("XEN_PCPUS=%s with %i cores gives %i", (text, cores, count) => {
  expect(pcpuCount(text, cores)).toBe(count);
});

it.each(["0", "65", "two", "-1", "1.5", " 2"])("XEN_PCPUS=%s is refused", (text) => {
  expect(() => pcpuCount(text, 2)).toThrow(`XEN_PCPUS: "${text}" is no number from 1 to 64`);
});
