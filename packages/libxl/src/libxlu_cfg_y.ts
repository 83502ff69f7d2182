import { type CfgToken, createCfgLexer } from "./libxlu_cfg_l.js";
import type { CfgReport } from "./libxlu_cfg_report.js";

/** A value of xl.cfg: a string or a number is kept as text. */
export type CfgValue = string | CfgValue[];

/** What one assignment left: the value, the line of the last one (from 1), and whether it was `+=`. */
export interface CfgSetting {
  readonly value: CfgValue;
  readonly line: number;
  readonly added: boolean;
}

/** A value with the line where it begins. */
interface Located {
  readonly value: CfgValue;
  readonly line: number;
}

const EXPECT = {
  statement: "$end or IDENT or NEWLINE or ';'",
  operator: "+= or '='",
  value: "STRING or NUMBER or '['",
  list: "']'",
  end: "$end",
} as const;

/**
 * Parses xl.cfg text (Xen's libxlu_cfg_y.y). Errors go to `report`; the grammar's recovery is kept: after an error parsing goes on at
 * the next line, and errors stay untold until three tokens in a row fit; something after a complete assignment ends the parse.
 */
export function parseCfg(text: string, report: CfgReport): Map<string, CfgSetting> {
  const settings = new Map<string, CfgSetting>();
  const lex = createCfgLexer(text, report);
  let token = lex();
  /** The next token is read only when it is looked at, so that messages name the last one that was. */
  let taken = false;
  /** Tokens that must fit before errors are told again. */
  let quiet = 0;

  function look(): CfgToken {
    if (taken) token = lex();
    taken = false;
    return token;
  }

  function take(): CfgToken {
    const found = look();
    taken = true;
    if (quiet > 0) quiet--;
    return found;
  }

  /** Tells what does not fit. */
  function unexpected(expected: string): void {
    const { kind, line, text: near } = look();
    if (quiet === 0) report.syntax(line, near, `syntax error, unexpected ${kind}, expecting ${expected}`);
  }

  /** Skips to the end of the line after an error. False at the end of the file. */
  function recover(): boolean {
    quiet = 3;
    while (look().kind !== "NEWLINE") {
      if (token.kind === "$end") return false;
      taken = true;
    }
    take();
    return true;
  }

  /** A string, number or list, or undefined after an error that was told. */
  function value(): Located | undefined {
    const { kind, line } = look();
    if (kind === "STRING" || kind === "NUMBER") return { value: take().value, line };
    if (kind !== "'['") {
      unexpected(EXPECT.value);
      return undefined;
    }
    const list = items();
    return list && { value: list, line };
  }

  /** A list with all lists in it, without recursion: nesting may be as deep as the file is long. */
  function items(): CfgValue[] | undefined {
    const open: CfgValue[][] = [];
    let list: CfgValue[] = [];
    take();
    for (let item = true; ; ) {
      const { kind } = look();
      if (kind === "NEWLINE") take();
      else if (kind === "']'") {
        take();
        const outer = open.pop();
        if (outer === undefined) return list;
        list = outer;
        item = false;
      } else if (item && (kind === "STRING" || kind === "NUMBER")) {
        list.push(take().value);
        item = false;
      } else if (item && kind === "'['") {
        take();
        const inner: CfgValue[] = [];
        list.push(inner);
        open.push(list);
        list = inner;
      } else if (!item && kind === "','") {
        take();
        item = true;
      } else {
        unexpected(EXPECT.list);
        return undefined;
      }
    }
  }

  function store(name: string, added: boolean, { value, line }: Located): void {
    if (report.failed) return;
    const old = added ? settings.get(name)?.value : undefined;
    if (old === undefined) settings.set(name, { value, line, added });
    else if (typeof old === "string" && typeof value === "string") settings.set(name, { value: old + value, line, added });
    else if (typeof old !== "string" && typeof value !== "string") settings.set(name, { value: old.concat(value), line, added });
    else report.lexical(token.line, token.text, `can't add [list] to "string" or vice versa`);
  }

  /** NAME = VALUE or NAME += VALUE. False after an error. */
  function assignment(): boolean {
    const name = take().value;
    const operator = look().kind;
    if (operator !== "'='" && operator !== "+=") {
      unexpected(EXPECT.operator);
      return false;
    }
    take();
    const found = value();
    if (found !== undefined) store(name, operator === "+=", found);
    return found !== undefined;
  }

  for (;;) {
    const { kind } = look();
    if (kind === "$end") break;
    if (kind === "NEWLINE" || kind === "';'") {
      take();
    } else if (kind !== "IDENT") {
      unexpected(EXPECT.statement);
      if (!recover()) break;
    } else if (!assignment()) {
      if (!recover()) break;
    } else {
      const after = look().kind;
      if (after === "$end") break;
      if (after !== "NEWLINE" && after !== "';'") {
        unexpected(EXPECT.end);
        break;
      }
      take();
    }
  }
  return settings;
}
