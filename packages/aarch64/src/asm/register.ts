import type { Packed, Syntax } from "./syntax.js";
import { unify } from "./syntax.js";

/** The letter before a register's number, by the value of some fields. */
export interface Letters {
  readonly of: Packed;
  readonly texts: readonly (string | undefined)[];
}

/** A letter that depends on nothing. */
export function fixedLetter(letter: string): Letters {
  return { of: { names: [], bits: 0, get: () => 0, isKnown: () => true, split: () => ({}) }, texts: [letter] };
}

/** Names beside letter and number: [letter, number, whether 31 is SP]. */
const NAMES: Readonly<Record<string, readonly [string, number, boolean?]>> = {
  wzr: ["w", 31, false],
  xzr: ["x", 31, false],
  wsp: ["w", 31, true],
  sp: ["x", 31, true],
  lr: ["x", 30],
  fp: ["x", 29],
  ip0: ["x", 16],
  ip1: ["x", 17],
};
const PATTERN = /(?:([wxbhsdqvc])(\d\d?)|(wzr|xzr|wsp|sp|lr|fp|ip0|ip1))(?!\w)/iy;

/** What 31 is called, where it is not just a number. */
const name31 = (letter: string, isSp: boolean): string | undefined => {
  if (letter === "w") return isSp ? "wsp" : "wzr";
  return letter === "x" ? (isSp ? "sp" : "xzr") : undefined;
};

/** A register of the general or the vector file. */
export function register(letters: Letters, number: Packed, isSp: boolean): Syntax {
  const wanted = [...new Set(letters.texts)].map((text) => text && `${text}0..${name31(text, isSp) ?? 31}`).filter(Boolean);
  return {
    names: [...letters.of.names, ...number.names],
    print: (f) => {
      const letter = letters.texts[letters.of.get(f)];
      const n = number.get(f);
      return letter && ((n === 31 ? name31(letter, isSp) : undefined) ?? `${letter}${n}`);
    },
    *parse(scan, at, found) {
      const written = scan.match(at, PATTERN);
      const [letter, n, isSpName] = NAMES[written?.[3]?.toLowerCase() ?? ""] ?? [written?.[1]?.toLowerCase() ?? "", Number(written?.[2] ?? 32)];
      const isKnown = written !== undefined && n <= (written[3] === undefined && name31(letter, false) ? 30 : 31) && (isSpName ?? isSp) === isSp;
      let isRight = false;
      for (const [value, text] of isKnown ? letters.texts.entries() : []) {
        if (text !== letter) continue;
        const fields = unify(found, { ...letters.of.split(value), ...number.split(n) });
        if (!fields) continue;
        isRight = true;
        yield { at: at + (written?.[0].length ?? 0), fields };
      }
      if (!isRight) scan.expect(at, `a register (${wanted.join(", ")})`);
    },
  };
}
