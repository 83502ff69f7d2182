import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it, test } from "vitest";
import type { Cfg } from "libxl";
import { getopt } from "../packages/xl/src/getopt.js";
import { lookup } from "../packages/xl/src/xl_cmdtable.js";
import { parseConfigData } from "../packages/xl/src/xl_parse.js";

const docs = new URL("../docs/", import.meta.url);
const pages = readdirSync(docs).filter((file) => file.endsWith(".md"));
const read = (page: string): string => readFileSync(new URL(page, docs), "utf8");

/** The lines of a page's shell blocks, without comments. */
const lines = (page: string): string[] =>
  [...read(page).matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([, block = ""]) => block.split("\n").map((line) => line.replace(/\s+#.*/, "")));

/** Words of a command line, as a shell splits them. */
const words = (line: string): string[] => [...line.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) => word.replaceAll(/['"]/g, ""));

test("the index of the documentation has every page, and no other", () => {
  const listed = [...read("README.md").matchAll(/^\| \[([^\]]+\.md)\]/gm)].map(([, page]) => page);
  expect(listed.toSorted()).toEqual(pages.filter((page) => page !== "README.md").toSorted());
});

test("the page on xl.cfg has every key that xl reads", () => {
  const asked = new Set<string>();
  const note = (key: string): undefined => void asked.add(key);
  const cfg: Cfg = {
    source: "",
    names: [],
    has: (key) => note(key) ?? false,
    getString: (key) => note(key) ?? (key === "name" ? "guest" : undefined),
    getLong: (key) => note(key),
    getList: (key) => note(key),
    getListOrString: (key) => note(key),
    warn: () => undefined,
  };
  parseConfigData(cfg, { nrCpus: 1, report: () => undefined });
  expect([...asked].filter((key) => !read("xl.cfg.md").includes(`\`${key}\``))).toEqual([]);
});

describe.each(pages)("%s", (page) => {
  it("has links that lead somewhere", () => {
    const targets = [...read(page).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, target = ""]) => target);
    expect(targets.filter((target) => !existsSync(new URL(target, docs)))).toEqual([]);
  });

  it("has xl commands that xl takes", () => {
    for (const line of lines(page)) {
      const found = words(line);
      const at = found.indexOf("xl");
      if (at < 0 || found.slice(0, at).some((word) => !word.includes("="))) continue;
      const [name = "", ...args] = found.slice(at + 1);
      const command = lookup(name);
      expect(command?.name, line).toBe(name);
      expect(getopt(args, command?.options ?? []).operands.length, line).toBeGreaterThanOrEqual(command?.required ?? 0);
    }
  });

  it("has lines that fit", () => {
    expect(
      read(page)
        .split("\n")
        .filter((line) => line.length > 165 && !line.startsWith("|") && !line.startsWith("  const ")),
    ).toEqual([]);
  });
});
