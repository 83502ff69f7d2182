import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { isBuilt } from "./host.js";
import { xl } from "guests";

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };

/** What the documents tell a reader to type, from their shell blocks. */
const commands = ["README.md", "CONTRIBUTING.md"].flatMap((file) =>
  [...read(file).matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([, block = ""]) => block.split("\n")),
);

describe("what the documents tell to type", () => {
  const npm = commands.flatMap((line) => /^npm (?:run )?(start|test|bench|check|format|docs|soak|lanes|differential)\b/.exec(line)?.[1] ?? []);

  it("uses npm scripts that exist", () => {
    expect(npm.length).toBeGreaterThan(4);
    expect(npm.filter((name) => scripts[name] === undefined)).toEqual([]);
  });

  it.skipIf(!isBuilt)("uses xl commands that xl knows (needs a build)", async () => {
    const shown = [...read("README.md").matchAll(/(?:npx )?\bxl ([a-z][a-z0-9-]+)/g)].flatMap(([, name]) => name ?? []);
    const { stdout } = await xl(["help"]);
    expect([...new Set(shown)].filter((name) => name !== "help" && !new RegExp(`^ ${name}\\s`, "m").test(stdout))).toEqual([]);
  });
});
