import { describe, expect, it } from "vitest";
import { getopt, type OptionSpec } from "./getopt.js";
import { sanitise, unsanitise } from "./sanitise.js";

const SPECS: readonly OptionSpec[] = [
  { short: "h", long: "help" },
  { short: "p", long: "prefix" },
  { short: "n", long: "number", hasArgument: true },
  { short: "N", long: "name" },
];

describe.each<[line: string, options: string, operands: string, complaints?: string]>([
  ["a b", "", "a b"],
  ["-p a", "p=", "a"],
  ["a -p b", "p=", "a b"],
  ["-hp a", "h= p=", "a"],
  ["-n 5 a", "n=5", "a"],
  ["-n5 a", "n=5", "a"],
  ["-pn5", "p= n=5", ""],
  ["--prefix a", "p=", "a"],
  ["--pre a", "p=", "a"],
  ["--number=5 a", "n=5", "a"],
  ["--number 5 a", "n=5", "a"],
  ["-- -p", "", "-p"],
  ["- -p", "p=", "-"],
  ["-x a", "", "a", "invalid option -- 'x'"],
  ["--apples a", "", "a", "unrecognized option '--apples'"],
  ["--n a", "", "a", "option '--n' is ambiguous"],
  ["-n", "", "", "option requires an argument -- 'n'"],
])("%s", (line, options, operands, complaints = "") => {
  it("is split as getopt_long splits it", () => {
    const parsed = getopt(line.split(" "), SPECS);
    expect(parsed.options.map(({ short, argument }) => `${short}=${argument}`).join(" ")).toBe(options);
    expect([parsed.operands.join(" "), parsed.complaints.join()]).toEqual([operands, complaints]);
  });
});

describe.each<[bytes: string, text: string]>([
  ["plain ~", "plain ~"],
  ["a\tb\nc\rd\\", "a\\tb\\nc\\rd\\\\"],
  ["\0\x07\x08\x7f\xff", "\\000\\007\\x08\\x7f\\xff"],
])("the value %j", (bytes, text) => {
  it("is printed, and read back", () => {
    expect(sanitise(bytes)).toBe(text);
    expect(unsanitise(text)).toBe(bytes);
  });
});

describe.each<[text: string, bytes: string]>([
  ["\\q", "q"],
  ["\\x", "x"],
  ["\\x4", "\x04"],
  ["\\x414", "A4"],
  ["\\1", "\x01"],
  ["\\1011", "A1"],
  ["end\\", "end\0"],
])("the text %j", (text, bytes) => {
  it("is read", () => {
    expect(unsanitise(text)).toBe(bytes);
  });
});
