import { argumentsOf, stringBytes } from "./source.js";

/** What a directive may do to the program. */
export interface DirectiveHost {
  /** True while sizes are still being found: symbols without a value are 0. */
  readonly isDraft: boolean;
  readonly here: bigint;
  /** Value of an expression; throws where it has none. */
  value(text: string): bigint;
  /** The same for what decides about sizes: must be known from what stands above or from labels. */
  size(text: string): number;
  put(value: bigint, bytes: number): void;
  fill(count: number, byte: number): void;
  /** Pads with NOP in the text section, with 0 in others. */
  align(to: number, byte: number | undefined): void;
  define(name: string, value: bigint): void;
  section(name: string): void;
  flushPool(): void;
}

type Directive = (host: DirectiveHost, rest: string) => void;

/** Values of a fixed size, which must fit as signed or unsigned. */
const values =
  (bytes: number): Directive =>
  (host, rest) => {
    const limit = 1n << BigInt(8 * bytes);
    for (const text of argumentsOf(rest)) {
      const value = host.value(text);
      if (value >= limit || value < -limit / 2n) throw new Error(`${value} does not fit in ${bytes} bytes`);
      host.put(value, bytes);
    }
  };

const strings =
  (end: readonly number[]): Directive =>
  (host, rest) => {
    for (const text of argumentsOf(rest)) {
      const bytes = stringBytes(text);
      if (!bytes) throw new Error(`expected a string in double quotes at '${text}'`);
      for (const byte of [...bytes, ...end]) host.put(BigInt(byte), 1);
    }
  };

const align =
  (isPower: boolean): Directive =>
  (host, rest) => {
    const [to = "", byte] = argumentsOf(rest);
    const size = host.size(to);
    const bytes = isPower ? 2 ** size : size;
    if (bytes < 1 || bytes > 2 ** 21 || !Number.isInteger(Math.log2(bytes)))
      throw new Error(`expected ${isPower ? "a power from 0 to 21" : "a power of two"}, not ${size}`);
    host.align(bytes, byte ? host.size(byte) : undefined);
  };

const space: Directive = (host, rest) => {
  const [count = "", byte = "0"] = argumentsOf(rest);
  const size = host.size(count);
  if (size < 0 || size > 2 ** 28) throw new Error(`expected a size of 0 to 2^28, not ${size}`);
  host.fill(size, host.size(byte));
};

const equ: Directive = (host, rest) => {
  const [name = "", value = ""] = argumentsOf(rest);
  if (!/^[A-Za-z_.$][\w.$]*$/.test(name)) throw new Error(`expected a name at '${name}'`);
  host.define(name, host.value(value));
};

const ignored: Directive = () => {};
const toSection =
  (name: string): Directive =>
  (host) =>
    host.section(name);

/** Directives by name, with GNU as's meaning. */
export const DIRECTIVES: Readonly<Record<string, Directive>> = {
  ".byte": values(1),
  ".hword": values(2),
  ".short": values(2),
  ".2byte": values(2),
  ".word": values(4),
  ".long": values(4),
  ".int": values(4),
  ".4byte": values(4),
  ".inst": values(4),
  ".xword": values(8),
  ".quad": values(8),
  ".dword": values(8),
  ".8byte": values(8),
  ".ascii": strings([]),
  ".asciz": strings([0]),
  ".string": strings([0]),
  ".align": align(true),
  ".p2align": align(true),
  ".balign": align(false),
  ".space": space,
  ".skip": space,
  ".zero": space,
  ".equ": equ,
  ".set": equ,
  ".ltorg": (host) => host.flushPool(),
  ".pool": (host) => host.flushPool(),
  ".text": toSection(".text"),
  ".data": toSection(".data"),
  ".bss": toSection(".bss"),
  ".section": (host, rest) => host.section(argumentsOf(rest)[0] ?? ""),
  ".global": ignored,
  ".globl": ignored,
  ".type": ignored,
  ".size": ignored,
  ".arch": ignored,
  ".cpu": ignored,
  ".file": ignored,
  ".ident": ignored,
};
