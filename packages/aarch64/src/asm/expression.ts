import type { Scan } from "./scan.js";

/** A value that was read, and the position behind it. */
export interface Value {
  readonly value: bigint;
  readonly at: number;
}

const NUMBER = /0x[0-9a-f]+(?![\w.$])|0b[01]+(?![\w.$])|\d+(?![\w.$])/iy;
const CHARACTER = /'(\\.|[^\\'])'?/y;
const SYMBOL = /\d+[bf](?![\w.$])|[A-Za-z_.$][\w.$]*/y;
const REGISTER = /^(?:[wxbhsdqv]\d\d?|[wx]zr|w?sp|lr|fp)$/i;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", "0": "\0", b: "\b", f: "\f" };

/** The character that a backslash and a letter stand for. */
export function unescape(letter: string): string {
  return ESCAPES[letter] ?? letter;
}

/** Operators by binding, loosest first, as GNU as binds them: `|`, `&` and `^` bind tighter than `+`. */
const LEVELS: readonly (readonly [RegExp, Readonly<Record<string, (a: bigint, b: bigint) => bigint>>])[] = [
  [/[+-]/y, { "+": (a, b) => a + b, "-": (a, b) => a - b }],
  [/[|&^]/y, { "|": (a, b) => a | b, "&": (a, b) => a & b, "^": (a, b) => a ^ b }],
  [/<<|>>|[*/%]/y, { "*": (a, b) => a * b, "/": (a, b) => a / b, "%": (a, b) => a % b, "<<": (a, b) => a << b, ">>": (a, b) => BigInt.asUintN(64, a) >> b }],
];

function primary(scan: Scan, start: number): Value | undefined {
  const at = scan.skip(start);
  const number = scan.match(at, NUMBER);
  if (number) {
    const digits = number[0];
    return { value: BigInt(/^0\d+$/.test(digits) ? `0o${digits.slice(1)}` : digits.toLowerCase()), at: at + digits.length };
  }
  const character = scan.match(at, CHARACTER);
  if (character?.[1]) {
    const text = character[1].startsWith("\\") ? unescape(character[1].slice(1)) : character[1];
    return { value: BigInt(text.codePointAt(0) ?? 0), at: at + character[0].length };
  }
  if (scan.text[at] === "(") {
    const inner = expression(scan, at + 1);
    if (!inner) return undefined;
    const close = scan.skip(inner.at);
    return scan.text[close] === ")" ? { value: inner.value, at: close + 1 } : scan.expect(close, "')'");
  }
  const sign = scan.text[at];
  if (sign === "-" || sign === "~" || sign === "+") {
    const inner = primary(scan, at + 1);
    return inner && { value: sign === "-" ? -inner.value : sign === "~" ? ~inner.value : inner.value, at: inner.at };
  }
  const name = scan.match(at, SYMBOL)?.[0];
  if (name === undefined || REGISTER.test(name)) return scan.expect(at, "a value");
  const value = name === "." ? scan.scope.pc : scan.scope.symbol(name);
  return value === undefined ? scan.expect(at, `a defined symbol ('${name}' is not)`) : { value, at: at + name.length };
}

function level(scan: Scan, start: number, depth: number): Value | undefined {
  const row = LEVELS[depth];
  if (!row) return primary(scan, start);
  let left = level(scan, start, depth + 1);
  while (left) {
    const at = scan.skip(left.at);
    const operator = scan.match(at, row[0])?.[0];
    const apply = operator === undefined ? undefined : row[1][operator];
    if (operator === undefined || !apply) return left;
    const right = level(scan, at + operator.length, depth + 1);
    if (!right) return undefined;
    if (right.value === 0n && (operator === "/" || operator === "%")) return scan.expect(at, "a divisor other than 0");
    if (operator.length === 2 && (right.value < 0n || right.value > 64n)) return scan.expect(at, "a shift of 0 to 64");
    left = { value: apply(left.value, right.value), at: right.at };
  }
  return undefined;
}

/** Reads and evaluates an expression; `:lo12:` gives the low 12 bits of what follows. */
export function expression(scan: Scan, start: number): Value | undefined {
  const at = scan.skip(start);
  const low = scan.match(at, /:lo12:/iy);
  if (!low) return level(scan, at, 0);
  const inner = level(scan, at + low[0].length, 0);
  return inner && { value: inner.value & 0xfffn, at: inner.at };
}
