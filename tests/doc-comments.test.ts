import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const packages = new URL("../packages/", import.meta.url);
const EXPORT = /^export (?:async |abstract )*(?:function\*?|const|interface|type|class) (\w+)/;

/** Exports of a file that have no doc comment in front of them, as `file: name`. */
function undocumented(folder: string, file: string): string[] {
  const lines = readFileSync(new URL(`${folder}/src/${file}`, packages), "utf8").split("\n");
  const names = (isDocumented: boolean): string[] =>
    lines.flatMap((line, at) => ((lines[at - 1] ?? "").endsWith("*/") === isDocumented ? (EXPORT.exec(line)?.[1] ?? []) : []));
  // Of a function's overloads the first one has the comment.
  const documented = new Set(names(true));
  return names(false)
    .filter((name) => !documented.has(name))
    .map((name) => `${file}: ${name}`);
}

describe.each(readdirSync(packages))("%s", (folder) => {
  it("has a doc comment on every export", () => {
    const files = readdirSync(new URL(`${folder}/src`, packages), { recursive: true, encoding: "utf8" });
    const sources = files.filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"));
    expect(sources.flatMap((file) => undocumented(folder, file))).toEqual([]);
  });
});
