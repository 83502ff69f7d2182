import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ROWS } from "../bench/src/rows.js";

test("SPECIFICATION.md and the benchmark have the same rows", () => {
  const specification = readFileSync(new URL("../SPECIFICATION.md", import.meta.url), "utf8");
  const promised = [...specification.matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map(([, name]) => name ?? "");
  expect(new Set(promised)).toEqual(new Set(Object.values(ROWS).flat()));
  expect(new Set(promised).size).toBe(promised.length);
});
