import { DIRECTIVES, type DirectiveHost } from "./directives.js";
import { expression } from "./expression.js";
import { assembleInstruction } from "./instruction.js";
import { Scan, type Scope } from "./scan.js";
import { Section } from "./section.js";
import { AssembleError, type Statement } from "./source.js";

/** Options of `assemble`. */
export interface AssembleOptions {
  /** Address of the first byte; 0 by default. */
  readonly origin?: bigint;
  /** Symbols that the source may use without defining them. */
  readonly symbols?: Readonly<Record<string, bigint>>;
  /** Address of `.data` by the address behind `.text`; the next multiple of 16 by default. */
  readonly dataOrigin?: (textEnd: bigint) => bigint;
}

const SECTIONS = [".text", ".data", ".bss"] as const;
const LABEL = /^(?:([A-Za-z_.$][\w.$]*)|(\d+))\s*:/;
const ASSIGNMENT = /^([A-Za-z_.$][\w.$]*)\s*=(?!=)(.*)$/s;
const LITERAL = /^ldr(sw)?\s+([wx]\w+|lr|fp)\s*,\s*=(.*)$/is;
const NOP = 0xd503201fn;

/** A value that `ldr register, =value` wants in a literal pool. */
interface Literal {
  readonly bytes: 4 | 8;
  readonly value: () => bigint;
}

interface LocalLabel {
  readonly statement: number;
  readonly address: bigint;
}

/** One pass over the source. Addresses that lie ahead come from the pass before. */
export class Pass implements DirectiveHost {
  readonly isDraft: boolean;
  readonly symbols: Map<string, bigint>;
  readonly locals: Map<number, LocalLabel[]> = new Map();
  /** Addresses of literals by pool, size and text. */
  readonly literals: Map<string, bigint> = new Map();
  readonly sections: readonly Section[];
  readonly #before: Pass | undefined;
  #current: Section;
  #statement = 0;
  #pools = 0;
  #pool: Map<string, Literal> = new Map();

  constructor(options: AssembleOptions, before: Pass | undefined, isDraft: boolean) {
    this.#before = before;
    this.isDraft = isDraft;
    this.symbols = new Map(Object.entries(options.symbols ?? {}));
    const origin = options.origin ?? 0n;
    const textEnd = before?.sections[0]?.here ?? origin;
    const data = (options.dataOrigin ?? ((end) => (end + 15n) & ~15n))(textEnd);
    const dataEnd = data + BigInt(before?.sections[1]?.size ?? 0);
    this.sections = [new Section(".text", origin), new Section(".data", data), new Section(".bss", (dataEnd + 15n) & ~15n)];
    this.#current = this.sections[0] as Section;
  }

  run(all: readonly Statement[]): this {
    for (const [index, statement] of all.entries()) {
      this.#statement = index;
      try {
        this.#one(statement.text);
      } catch (error) {
        throw error instanceof AssembleError ? error : new AssembleError(statement, error instanceof Error ? error.message : String(error));
      }
    }
    this.section(".text");
    this.flushPool();
    return this;
  }

  /** Whether another pass would find other addresses. */
  isSameAs(other: Pass): boolean {
    const differs = (a: ReadonlyMap<string, bigint>, b: ReadonlyMap<string, bigint>): boolean =>
      a.size !== b.size || [...a].some(([name, value]) => b.get(name) !== value);
    return (
      !differs(this.symbols, other.symbols) && !differs(this.literals, other.literals) && this.sections.every((s, i) => s.here === other.sections[i]?.here)
    );
  }

  get here(): bigint {
    return this.#current.here;
  }

  #one(text: string): void {
    const label = LABEL.exec(text);
    if (label) {
      const [all, name, number] = label;
      if (name !== undefined) {
        if (this.symbols.has(name)) throw new Error(`'${name}' is already defined`);
        this.symbols.set(name, this.here);
      } else {
        const key = Number(number);
        this.locals.set(key, [...(this.locals.get(key) ?? []), { statement: this.#statement, address: this.here }]);
      }
      const rest = text.slice(all.length).trim();
      if (rest) this.#one(rest);
      return;
    }
    const assignment = ASSIGNMENT.exec(text);
    if (assignment) return this.define(assignment[1] ?? "", this.value(assignment[2] ?? ""));
    const [word = ""] = text.split(/\s/, 1);
    if (word.startsWith(".")) {
      const directive = DIRECTIVES[word.toLowerCase()];
      if (!directive) throw new Error(`there is no directive '${word}'`);
      return directive(this, text.slice(word.length).trim());
    }
    this.#instruction(text);
  }

  #instruction(text: string): void {
    if (this.#current.name === ".bss") throw new Error("there are no instructions in .bss");
    if (this.here & 3n) throw new Error(`instructions are aligned to 4 bytes, this one is at 0x${this.here.toString(16)}`);
    const literal = LITERAL.exec(text);
    const written = literal
      ? `ldr${literal[1] ?? ""} ${literal[2]}, ${this.#literal(/^w/i.test(literal[2] ?? "") || literal[1] ? 4 : 8, literal[3] ?? "")}`
      : text;
    this.put(this.isDraft ? NOP : BigInt(assembleInstruction(written, this.#scope())), 4);
  }

  /** Notes a literal and gives its address. */
  #literal(bytes: 4 | 8, text: string): bigint {
    // What local labels and `.` mean depends on the place, so these are not shared.
    const isLocal = /(?<![\w.$])(?:\d+[bf]|\.)(?![\w.$])/.test(text);
    const key = `${this.#pools} ${bytes} ${text.trim()}${isLocal ? ` ${this.#statement}` : ""}`;
    const scope = this.#scope();
    if (!this.#pool.has(key)) this.#pool.set(key, { bytes, value: () => this.#evaluate(text, scope) });
    return this.#before?.literals.get(key) ?? 0n;
  }

  flushPool(): void {
    const entries = [...this.#pool].sort(([, a], [, b]) => b.bytes - a.bytes);
    if (entries.length) this.align(entries[0]?.[1].bytes ?? 8, 0);
    for (const [key, { bytes, value }] of entries) {
      this.literals.set(key, this.here);
      this.put(value(), bytes);
    }
    this.#pool = new Map();
    this.#pools += 1;
  }

  #scope(): Scope {
    const [statement, pc] = [this.#statement, this.here];
    return { pc, symbol: (name) => this.#symbol(name, statement) };
  }

  #symbol(name: string, statement: number): bigint | undefined {
    const local = /^(\d+)([bf])$/.exec(name);
    if (!local) return this.symbols.get(name) ?? this.#before?.symbols.get(name);
    const [all, isBack] = [(this.#before ?? this).locals.get(Number(local[1])) ?? [], local[2] === "b"];
    return (isBack ? all.findLast((l) => l.statement <= statement) : all.find((l) => l.statement > statement))?.address;
  }

  #evaluate(text: string, scope: Scope): bigint {
    const scan = new Scan(text, { pc: scope.pc, symbol: (name) => scope.symbol(name) ?? (this.isDraft ? 0n : undefined) });
    const result = expression(scan, scan.literal(0, "#") ?? 0);
    if (result && scan.isEnd(result.at)) return result.value;
    if (result) scan.expect(result.at, "an operator");
    throw new Error(scan.complaint());
  }

  value(text: string): bigint {
    return this.#evaluate(text, this.#scope());
  }

  size(text: string): number {
    return Number(this.value(text));
  }

  put(value: bigint, bytes: number): void {
    if (this.#current.name === ".bss" && value !== 0n) throw new Error(".bss holds only zeros");
    this.#current.put(value, bytes);
  }

  fill(count: number, byte: number): void {
    this.#current.fill(count, byte);
  }

  align(to: number, byte: number | undefined): void {
    const pad = Number(-this.here & BigInt(to - 1));
    if (byte !== undefined || this.#current.name !== ".text") return this.fill(pad, byte ?? 0);
    this.fill(pad % 4, 0);
    for (let at = 0; at < pad - (pad % 4); at += 4) this.put(NOP, 4);
  }

  define(name: string, value: bigint): void {
    this.symbols.set(name, value);
  }

  section(name: string): void {
    const known = name === ".rodata" ? ".text" : name;
    const found = this.sections.find((section) => section.name === known);
    if (!found) throw new Error(`expected one of the sections ${SECTIONS.join(", ")}, not '${name}'`);
    this.#current = found;
  }
}
