import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it, test } from "vitest";

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}
interface LintConfig {
  readonly overrides: readonly {
    readonly files: readonly string[];
    readonly rules: { readonly "no-restricted-imports"?: readonly [string, { readonly patterns: readonly { readonly group: readonly string[] }[] }] };
  }[];
}

const root = new URL("..", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), "utf8");

/** Floor by package, as ARCHITECTURE.md's table tells. */
const floors = new Map([...read("ARCHITECTURE.md").matchAll(/^\| (\d) \| `([\w-]+)` \|/gm)].map(([, floor, name]) => [name as string, Number(floor)]));
const manifests = readdirSync(new URL("packages", root)).map((folder) => JSON.parse(read(`packages/${folder}/package.json`)) as Manifest);
const lint = JSON.parse(read(".oxlintrc.json")) as LintConfig;

test("ARCHITECTURE.md has a row for each package, and no other", () => {
  expect([...floors.keys()].sort()).toEqual(manifests.map(({ name }) => name).sort());
});

describe.each(manifests)("$name", ({ name, dependencies = {} }) => {
  const floor = floors.get(name) ?? 0;

  it("depends only on packages of lower floors", () => {
    // xl only starts xen-host's program.
    const others = Object.keys(dependencies).filter((other) => floors.has(other) && !(name === "xl" && other === "xen-host"));
    expect(others.filter((other) => (floors.get(other) ?? 0) >= floor)).toEqual([]);
  });

  it("has no run-time dependencies below floor 3", () => {
    if (floor > 2) return;
    expect(Object.keys(dependencies).filter((other) => !floors.has(other))).toEqual([]);
  });

  it("is fenced off from its own floor and those above", () => {
    const override = lint.overrides.find(({ files }) => files.includes(`packages/${name}/src/**`));
    const banned = new Set(override?.rules["no-restricted-imports"]?.[1].patterns.flatMap(({ group }) => group));
    const above = [...floors].filter(([other, its]) => other !== name && its >= floor).map(([other]) => other);
    expect(above.filter((other) => !banned.has(other) || !banned.has(`${other}/*`))).toEqual([]);
    expect(banned.has("node:*")).toBe(floor <= 2);
  });
});
