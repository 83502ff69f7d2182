import { describe, expect, it } from "vitest";
import { getopt, GetoptError, type OptionSpec } from "./getopt.js";

const SPECS: readonly OptionSpec[] = [
  { short: "l", long: "long", help: "" },
  { short: "n", long: "numa", help: "" },
  { short: "f", long: "defconfig", argument: "FILE", help: "" },
  { long: "json", help: "" },
  { long: "vncviewer", help: "" },
  { long: "vncviewer-autopass", help: "" },
  { short: "p", help: "" },
];

/** The options seen, as "name" or "name=value". */
function parse(argv: string[], stopAtOperand = false): { options: string[]; operands: readonly string[] } {
  const { options, operands } = getopt(argv, SPECS, { stopAtOperand });
  const names = SPECS.map(({ long, short }) => long ?? (short as string)).filter((name) => options.has(name));
  return { options: names.map((name) => (options.value(name) === undefined ? name : `${name}=${options.value(name)}`)), operands };
}

describe("getopt", () => {
  it.each([
    ["nothing", [], [], []],
    ["letters, alone and bundled", ["-l", "-np"], ["long", "numa", "p"], []],
    ["long names", ["--long", "--json"], ["long", "json"], []],
    ["long names cut short", ["--lo", "--js"], ["long", "json"], []],
    ["a long name that starts another", ["--vncviewer"], ["vncviewer"], []],
    ["an argument behind a space", ["-f", "a.cfg"], ["defconfig=a.cfg"], []],
    ["an argument behind the letter", ["-fa.cfg"], ["defconfig=a.cfg"], []],
    ["an argument behind bundled letters", ["-lfa.cfg"], ["long", "defconfig=a.cfg"], []],
    ["an argument behind =", ["--def=a=b"], ["defconfig=a=b"], []],
    ["an empty argument", ["--defconfig="], ["defconfig="], []],
    ["the last of several arguments", ["-fa", "-fb"], ["defconfig=b"], []],
    ["options behind operands", ["dom", "-l", "x"], ["long"], ["dom", "x"]],
    ["operands that look like options behind --", ["-l", "--", "-n", "x"], ["long"], ["-n", "x"]],
    ["a lone dash as an operand", ["-"], [], ["-"]],
    ["k=v as operands", ["a.cfg", "vcpus=2"], [], ["a.cfg", "vcpus=2"]],
  ])("reads %s", (_title, argv, options, operands) => {
    expect(parse(argv)).toEqual({ options, operands });
  });

  it("stops at the first operand where it is told to", () => {
    expect(parse(["-l", "list", "-n"], true)).toEqual({ options: ["long"], operands: ["list", "-n"] });
  });

  it("counts repetitions", () => {
    expect(getopt(["-ll", "--long"], SPECS).options.count("long")).toBe(3);
  });

  it.each([
    [["-x"], "x", "unknown option -x"],
    [["-lx"], "x", "unknown option -x"],
    [["--foo"], "--foo", "unknown option --foo"],
    [["--vnc"], "--vnc", "option --vnc is ambiguous: --vncviewer, --vncviewer-autopass"],
    [["--long=1"], "--long", "option --long takes no argument"],
    [["-f"], "-f", "option -f needs an argument"],
    [["--defconfig"], "--defconfig", "option --defconfig needs an argument"],
  ])("refuses %j", (argv, option, message) => {
    expect(() => getopt(argv, SPECS)).toThrow(expect.objectContaining({ name: "GetoptError", option, message }) as GetoptError);
  });
});
