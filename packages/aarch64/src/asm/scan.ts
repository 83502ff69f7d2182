/** What names and `.` mean where a line is assembled. */
export interface Scope {
  /** Address of this line. */
  readonly pc: bigint;
  /** A symbol's value; local labels as `1b` and `1f`. */
  readonly symbol: (name: string) => bigint | undefined;
}

/** Characters around which blanks are free. */
const PUNCTUATION = "#,[]{}!()";

/** The text of one statement, and how far the attempts to read it came: the source of every "expected ..." message. */
export class Scan {
  readonly text: string;
  readonly scope: Scope;
  #furthest = 0;
  #expected: Set<string> = new Set();

  constructor(text: string, scope: Scope) {
    this.text = text;
    this.scope = scope;
  }

  /** Notes that `what` would have been right at a position. Only the furthest position is kept. */
  expect(at: number, what: string): undefined {
    if (at < this.#furthest) return undefined;
    if (at > this.#furthest) this.#expected.clear();
    this.#furthest = at;
    this.#expected.add(what);
    return undefined;
  }

  /** "expected a or b at 'rest'". */
  complaint(): string {
    const rest = this.text.slice(this.#furthest).trim();
    const all = [...this.#expected];
    const list = all.length > 6 ? [...all.slice(0, 6), "..."] : all;
    return `expected ${list.join(" or ") || "something else"} ${rest ? `at '${rest}'` : "at the end of the line"}`;
  }

  /** The position behind blanks. */
  skip(at: number): number {
    while (this.text[at] === " " || this.text[at] === "\t") at += 1;
    return at;
  }

  isEnd(at: number): boolean {
    return this.skip(at) >= this.text.length;
  }

  /** The position behind a literal, in either case; `#` may be missing. Undefined where it is not there. */
  literal(at: number, wanted: string): number | undefined {
    for (const letter of wanted) {
      const isFree = PUNCTUATION.includes(letter);
      if (isFree || letter === " ") at = this.skip(at);
      if (letter === " ") continue;
      if (this.text[at]?.toLowerCase() === letter) at += 1;
      else if (letter !== "#") return this.expect(at, `'${wanted.trim()}'`);
      if (isFree) at = this.skip(at);
    }
    return at;
  }

  /** Matches a sticky regular expression at a position. */
  match(at: number, pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = at;
    return pattern.exec(this.text) ?? undefined;
  }
}
