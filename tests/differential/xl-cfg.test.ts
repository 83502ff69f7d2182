import fc from "fast-check";
import { findLibxlutil, whyNoLibxlutil } from "guests";
import { afterAll, describe, expect, it } from "vitest";
import { createCfgReport } from "../../packages/libxl/src/libxlu_cfg_report.js";
import { parseCfg } from "../../packages/libxl/src/libxlu_cfg_y.js";
import { readCfg } from "../../packages/libxl/src/libxlu_cfg.js";
import { type CfgKinds, type CfgReading, type CfgTree, type LibxlutilOracle, loadLibxlutil, SOURCE } from "./libxlutil.js";
import { corpus } from "./xl-cfg-corpus.js";
import { anyCfg } from "./xl-cfg-random.js";

/** `npm run differential` goes through more of them; SEED is what a failure names. */
const runs = process.env["DIFFERENTIAL"] === "full" ? 100_000 : 5_000;
const seed = Number(process.env["SEED"] ?? 1);

/** Whatever may be a name in a text. */
function namesIn(text: string): Iterable<string> {
  return new Set(text.match(/[a-z][a-z0-9._]*/g));
}

/** What ours makes of a text. */
function ours(text: string): CfgReading {
  const report = createCfgReport(SOURCE);
  const settings = parseCfg(text, report);
  report.finish();
  const errors = report.lines;
  if (report.failed) return { errors, warnings: [] };
  const warnings: string[] = [];
  const cfg = readCfg(text, { source: SOURCE, report: (line) => warnings.push(line) });
  const values: Record<string, CfgKinds> = {};
  for (const name of namesIn(text)) {
    const string = cfg.getString(name);
    const long = cfg.getLong(name);
    const list = cfg.getList(name) && (settings.get(name)?.value as CfgTree[]);
    values[name] = { ...(string !== undefined && { string }), ...(long !== undefined && { long }), ...(list && { list }) };
  }
  return { errors, values, warnings };
}

/** As libxlutil says it: the hint about Python is told in words of our own. */
function comparable({ errors, ...rest }: CfgReading): CfgReading {
  return { ...rest, errors: errors.map((line) => (line.startsWith("warning:") ? "(hint about Python)" : line)) };
}

/** libxlutil, or why it is not to be had. */
function load(): { readonly oracle?: LibxlutilOracle; readonly title: string } {
  const found = findLibxlutil();
  if (found === undefined) return { title: whyNoLibxlutil() };
  try {
    return { oracle: loadLibxlutil(found.libraries), title: found.origin };
  } catch (error) {
    return { title: `${found.origin} cannot be loaded: ${(error as Error).message}` };
  }
}

const { oracle, title } = load();
describe.skipIf(oracle === undefined)(`xl.cfg, read by ours and by libxlutil (${title})`, () => {
  afterAll(() => oracle?.close());

  function compare(text: string): void {
    const reading = ours(text);
    expect(comparable(reading)).toEqual(comparable(oracle?.read(text, namesIn(text)) ?? reading));
  }

  it.each(corpus)("%s", (_title, text) => compare(text));

  it(`${runs} random texts of seed ${seed}`, { timeout: 600_000 }, () => {
    fc.assert(fc.property(anyCfg, compare), { seed, numRuns: runs });
  });
});
