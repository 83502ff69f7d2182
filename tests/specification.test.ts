import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

test("SPECIFICATION.md and the benchmark have the same rows", () => {
  const promised = [...read("SPECIFICATION.md").matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map(([, name]) => name ?? "");
  const sources = ["bench/src", "bench/src/guest"].flatMap((folder) =>
    readdirSync(new URL(`../${folder}`, import.meta.url))
      .filter((file) => /(?<!\.test)\.ts$/.test(file))
      .map((file) => read(`${folder}/${file}`)),
  );
  const measured = sources
    .flatMap((source) => [...source.matchAll(/\brow\("([a-z0-9-]+)"|\{ name: "([a-z0-9]+)", source/g)])
    .map(([, name, kernel]) => name ?? kernel ?? "");
  expect(promised.sort()).toEqual([...new Set(measured)].sort());
});
