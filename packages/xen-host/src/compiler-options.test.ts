import { DEFAULT_COMPILER_OPTIONS } from "aarch64";
import { expect, it, test } from "vitest";
import { compilerOptions } from "./compiler-options.js";

test("nothing said leaves the defaults", () => {
  expect(compilerOptions("")).toEqual(DEFAULT_COMPILER_OPTIONS);
});

test("each setting has its place", () => {
  expect(compilerOptions("hot=1,batch=2,wait=3,region=4,calling=5,calls=6")).toEqual({
    ...DEFAULT_COMPILER_OPTIONS,
    hotEntries: 1,
    batch: 2,
    maxWait: 3,
    tiers: [
      { ...DEFAULT_COMPILER_OPTIONS.tiers[0], instructions: 4 },
      { ...DEFAULT_COMPILER_OPTIONS.tiers[1], instructions: 5, calls: 6 },
    ],
  });
});

it.each(["warm=1", "hot", "hot=-1", "hot=x", "toString=1"])("%s is refused by name", (text) => {
  expect(() => compilerOptions(text)).toThrow(`"${text}"`);
});
