import { describe, expect, it } from "vitest";
import { decodeAs, PATTERNS } from "../a64/decode.js";
import { createRandom } from "../testing.js";
import { UNDEFINED } from "./handlers.js";
import { Templates, templateOf } from "./template.js";

const WORDS = 400;

describe("a record from a template is the one that the word alone gives", () => {
  const below = createRandom(2026);
  const random = (): number => below(2 ** 32);
  it.each(PATTERNS.map((pattern) => [pattern.form.name, pattern] as const))("%s", (_, pattern) => {
    const templates = new Templates(pattern);
    const records = new Int32Array(4);
    let decodable = 0;
    for (let i = 0; i < WORDS; i++) {
      // Register 31 is special, and would come too seldom; alike words share templates.
      const bits = (i & 1) === 0 ? random() : random() & random() & random();
      const word = (((i & 2) === 0 ? bits : ~bits) & ~pattern.mask) | pattern.value;
      const decoded = decodeAs(pattern, word >>> 0);
      const kind = templates.fill(word, records, 0);
      if (decoded === undefined) {
        expect(kind).toBeUndefined();
        continue;
      }
      decodable++;
      const { operands, ...expected } = templateOf(decoded);
      const [a = 0, b = 0, c = 0, d] = operands;
      expect({ word, kind, record: [...records] }).toEqual({
        word,
        kind: expected.kind,
        record: [expected.handler | (a << 16), b | (c << 16), d ?? expected.low, expected.high],
      });
    }
    if (decodable > 0) expect([...records].some((half) => half !== UNDEFINED)).toBe(true);
  });
});
