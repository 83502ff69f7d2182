import { expect, it } from "vitest";
import { pcpuCount } from "./pcpu-count.js";

it.each<[string | undefined, number]>([
  [undefined, 1],
  ["", 1],
  ["1", 1],
  ["2", 2],
  ["64", 64],
])("XEN_PCPUS=%s gives %i", (text, count) => {
  expect(pcpuCount(text)).toBe(count);
});

it.each(["0", "65", "two", "-1", "1.5", " 2"])("XEN_PCPUS=%s is refused", (text) => {
  expect(() => pcpuCount(text)).toThrow(`XEN_PCPUS: "${text}" is no number from 1 to 64`);
});
