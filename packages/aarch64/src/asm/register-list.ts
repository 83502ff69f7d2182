import type { Fields } from "../a64/form.js";
import type { OperandContext } from "./operand.js";
import { fixedLetter, register } from "./register.js";
import type { Scan } from "./scan.js";
import { type Match, packed, type Syntax } from "./syntax.js";

/** `{v0.16b, v1.16b}`: count, first register's field and the arrangement: `<@list:2 Rt %T>`. */
export function list({ argument, widths, compile }: OperandContext): Syntax {
  const [, digits = "1", field = "Rt", suffix = ""] = /^(\d) (\w+) (.*)$/s.exec(argument) ?? [];
  const count = Number(digits);
  const of = packed(field, widths);
  const arrangement = compile(`.${suffix}`);
  const first = register(fixedLetter("v"), of, false);
  /** Reads registers `i` and up; the first one fixes the arrangement. */
  function* rest(scan: Scan, at: number, found: Fields, i: number): Generator<Match> {
    if (i === count) return yield { at, fields: found };
    const n = (of.get(found) + i) % 32;
    const dash = i === 1 ? scan.literal(scan.skip(at), "-") : undefined;
    const [start, number, next] = dash !== undefined ? [dash, (n + count - 2) % 32, count] : [scan.literal(at, ","), n, i + 1];
    const name = start === undefined ? undefined : scan.literal(scan.skip(start), `v${number}`);
    for (const match of name === undefined ? [] : arrangement.parse(scan, name, found)) yield* rest(scan, match.at, match.fields, next);
  }
  return {
    names: [...of.names, ...arrangement.names],
    print: (f, pc) => {
      const text = arrangement.print(f, pc);
      if (text === undefined) return undefined;
      const n = of.get(f);
      const all = Array.from({ length: count }, (_, i) => `v${(n + i) % 32}${text}`);
      return count > 2 && n + count <= 32 ? `{${all[0]}-${all.at(-1)}}` : `{${all.join(", ")}}`;
    },
    *parse(scan, at, found) {
      const open = scan.literal(at, "{");
      for (const head of open === undefined ? [] : first.parse(scan, open, found)) {
        for (const match of arrangement.parse(scan, head.at, head.fields)) {
          for (const end of rest(scan, match.at, match.fields, 1)) {
            const close = scan.literal(end.at, "}");
            if (close !== undefined) yield { at: close, fields: end.fields };
          }
        }
      }
    },
  };
}
