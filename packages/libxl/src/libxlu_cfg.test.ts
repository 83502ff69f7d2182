import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isLibxlError } from "./include/libxl.js";
import { type Cfg, readCfg, strtol } from "./libxlu_cfg.js";

interface Recorded {
  readonly name: string;
  readonly text: string;
  readonly errors: readonly string[];
  readonly python: boolean;
  readonly values?: Readonly<Record<string, { readonly string?: string; readonly long?: number; readonly list?: readonly (string | null)[] }>>;
  readonly warnings?: readonly string[];
}

const recorded = JSON.parse(readFileSync(new URL("./fixtures/xlu_cfg.json", import.meta.url), "utf8")) as { readonly cases: readonly Recorded[] };

function read(text: string): { cfg: Cfg | undefined; lines: string[] } {
  const lines: string[] = [];
  try {
    return { cfg: readCfg(text, { source: "x.cfg", report: (line) => lines.push(line) }), lines };
  } catch (error) {
    if (!isLibxlError(error, "NONSPECIFIC")) throw error;
    return { cfg: undefined, lines };
  }
}

describe("xl.cfg, against what libxlutil said", () => {
  it.each(recorded.cases)("$name", ({ text, errors, python, values, warnings }) => {
    const { cfg, lines } = read(text);
    expect(lines.filter((line) => !line.startsWith("warning:"))).toEqual(errors);
    expect(lines.filter((line) => line.startsWith("warning:"))).toHaveLength(python ? 3 : 0);
    expect(cfg !== undefined).toBe(values !== undefined);
    if (cfg === undefined) return;

    lines.length = 0;
    const got: Record<string, unknown> = {};
    for (const name of ["a", "b", "c"]) {
      const string = cfg.getString(name);
      const long = cfg.getLong(name);
      const list = cfg.getList(name)?.map((item) => item ?? null);
      if (cfg.has(name)) got[name] = { ...(string !== undefined && { string }), ...(long !== undefined && { long }), ...(list && { list }) };
    }
    expect(got).toEqual(values);
    expect(lines).toEqual(warnings);
  });
});

describe("xl.cfg, whatever comes", () => {
  const pieces = ["a", "b", "=", "+=", "[", "]", ",", "\n", ";", " ", "\t", "1", "0x", '"s"', "'", '"', "\\", "#", "# c\n", "-", "(", "A", "\r", "é", "\0"];
  const soup = fc.array(fc.constantFrom(...pieces), { maxLength: 60 }).map((parts) => parts.join(""));

  it("ends with values or with its own error", () => {
    fc.assert(
      fc.property(fc.oneof(soup, fc.string({ unit: "binary", maxLength: 80 })), (text) => {
        const { cfg, lines } = read(text);
        if (cfg === undefined) expect(lines.length).toBeGreaterThan(0);
        for (const name of cfg?.names ?? []) {
          cfg?.getString(name);
          cfg?.getLong(name);
          cfg?.getList(name);
        }
        for (const line of lines) expect(line).toMatch(/^(x\.cfg:\d+: (config parsing error near |warning: )|warning: )/);
      }),
      { numRuns: 2000 },
    );
  });

  it("gives back every string that is written with its escapes", () => {
    const plain = fc.string({ unit: fc.constantFrom("a", "b", " ", "\\", '"', "'", "\n", "\t", "\r", "[", "]", "#", "=", ";", "é") });
    const quote = (text: string): string => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n").replaceAll("\r", "\\r")}"`;
    fc.assert(
      fc.property(fc.array(plain), (texts) => {
        const { cfg } = read(`a = [${texts.map(quote).join(", ")}]\n`);
        expect(cfg?.getList("a")).toEqual(texts);
      }),
    );
  });

  it("refuses a NUL in a string, at which libxlutil ends its program", () => {
    expect(read('a="x\0y"\n').lines).toEqual(["x.cfg:1: config parsing error near `\"x': NUL character in quoted string"]);
  });

  it("takes lists nested deeper than any stack", () => {
    const depth = 100_000;
    const { cfg } = read(`a=${"[".repeat(depth)}${"]".repeat(depth)}`);
    expect(cfg?.getList("a")).toEqual([undefined]);
  });
});

it.each([
  ["0", 0n, ""],
  ["010", 8n, ""],
  ["0x1fF", 0x1ffn, ""],
  [" -7", -7n, ""],
  ["+7", 7n, ""],
  ["9223372036854775808", 2n ** 63n, ""],
  ["", 0n, " "],
  ["08", 0n, "8"],
  ["0x", 0n, "x"],
  ["7 ", 7n, " "],
  ["x", 0n, "x"],
])("reads %j as the number %s, with %j behind it", (text, value, rest) => {
  expect(strtol(text)).toEqual({ value, rest });
});
