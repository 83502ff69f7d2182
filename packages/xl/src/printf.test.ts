import { expect, it } from "vitest";
import { printf } from "./printf.js";

it.each([
  ["%-40s %5d|", ["Domain-0", 0], "Domain-0                                     0|"],
  ["%5lu %5d", [512, 2], "  512     2"],
  ["%8.1f", [12.345], "    12.3"],
  ["%2d:%02d:%02d", [1, 2, 3], " 1:02:03"],
  ["%3c%c-", ["r", "-"], "  r--"],
  ["%08x", [0x1f], "0000001f"],
  ["%8x", [3], "       3"],
  ["0x%x", [0xffff_8000_0000_0000n], "0xffff800000000000"],
  ["%5u%%", [7], "    7%"],
  ["%-4s|", ["longer"], "longer|"],
  ["%.3s|", ["longer"], "lon|"],
])("prints %s", (format, values, expected) => {
  expect(printf(format, ...values)).toBe(expected);
});
