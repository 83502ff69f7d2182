import { LibxlError } from "./include/libxl.js";
import { createCfgReport } from "./libxlu_cfg_report.js";
import { type CfgSetting, type CfgValue, parseCfg } from "./libxlu_cfg_y.js";

/** Where a config comes from and where its complaints go. */
export interface CfgOptions {
  /** The file's name, or what stands for it, in every line. */
  readonly source: string;
  /** Takes each warning and error line, without line end. Nowhere by default. */
  readonly report?: (line: string) => void;
}

/** A parsed config. A value of the wrong kind is warned about and read as undefined, as in libxlu. */
export interface Cfg {
  readonly source: string;
  /** The names that are set, in the order of their first assignment. */
  readonly names: readonly string[];
  has(name: string): boolean;
  getString(name: string): string | undefined;
  /** A C long: decimal, 0x hexadecimal or 0 octal, with a sign if it was quoted. */
  getLong(name: string): number | undefined;
  /** The items of a list; an item that is itself a list is undefined. */
  getList(name: string): (string | undefined)[] | undefined;
  /** A list, or a string as a list of one, without a warning for either. */
  getListOrString(name: string): string | (string | undefined)[] | undefined;
  /** Adds a warning line of the caller's own. */
  warn(message: string): void;
}

/**
 * Reads xl.cfg or xl.conf text (xlu_cfg_readdata). Throws NONSPECIFIC (exit status 1) after reporting every error; the lines are
 * also in the error's `cause`.
 */
export function readCfg(text: string, options: CfgOptions): Cfg {
  const { source, report = () => undefined } = options;
  const errors = createCfgReport(source);
  const settings = parseCfg(text, errors);
  errors.finish();
  for (const line of errors.lines) report(line);
  if (errors.failed) throw new LibxlError("NONSPECIFIC", `${source}: the config has errors`, { cause: errors.lines });
  return createCfg(settings, source, report);
}

function createCfg(settings: ReadonlyMap<string, CfgSetting>, source: string, report: (line: string) => void): Cfg {
  function complain(name: string, reason: string): undefined {
    report(`${source}:${settings.get(name)?.line ?? 0}: warning: ${reason}`);
  }
  function scalar(name: string): string | undefined {
    const value = settings.get(name)?.value;
    if (value === undefined || typeof value === "string") return value;
    return complain(name, `parameter \`${name}' is a list but should be a single value`);
  }

  return {
    source,
    names: [...settings.keys()],
    has: (name) => settings.has(name),
    warn: (message) => report(`${source}: warning: ${message}`),
    getString: scalar,
    getLong(name): number | undefined {
      const text = scalar(name);
      if (text === undefined) return undefined;
      if (settings.get(name)?.added === true) return complain(name, `can't use += with numbers for parameter \`${name}'`);
      const { value, rest } = strtol(text);
      if (value < LONG_MIN || value > LONG_MAX) {
        return complain(name, `parameter \`${name}' could not be parsed as a number: Numerical result out of range`);
      }
      return rest === "" ? Number(value) : complain(name, `parameter \`${name}' is not a valid number`);
    },
    getList(name): (string | undefined)[] | undefined {
      const value = settings.get(name)?.value;
      if (value === undefined) return undefined;
      if (typeof value !== "string") return value.map(item);
      return complain(name, `parameter \`${name}' is a single value but should be a list`);
    },
    getListOrString(name): string | (string | undefined)[] | undefined {
      const value = settings.get(name)?.value;
      return typeof value === "object" ? value.map(item) : value;
    },
  };
}

const LONG_MAX = 2n ** 63n - 1n;
const LONG_MIN = -(2n ** 63n);

function item(value: CfgValue): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** C's strtol with base 0: the number that the text begins with, unbounded, and what is behind it. Without a number, 0 and everything or " ". */
export function strtol(text: string): { readonly value: bigint; readonly rest: string } {
  const found = /^[ \t\n\v\f\r]*([-+]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)/.exec(text);
  if (found === null) return { value: 0n, rest: text || " " };
  const digits = found[2] as string;
  const octal = /^0[0-7]/.test(digits);
  const value = BigInt(octal ? `0o${digits.slice(1)}` : digits);
  return { value: found[1] === "-" ? -value : value, rest: text.slice(found[0].length) };
}
