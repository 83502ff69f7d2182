import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { getopt } from "./getopt.js";
import { CMDTABLE, lookup } from "./xl_cmdtable.js";
import { describeCommand } from "./xl_help.js";
import { manPage } from "./xl_man.js";
import { MANUAL } from "./xl_manual.js";

const shown = CMDTABLE.filter(({ isHidden }) => isHidden !== true);

describe("the manual", () => {
  it("tells of every command that is in the list, and of no other", () => {
    expect(Object.keys(MANUAL).toSorted()).toEqual(shown.map(({ name }) => name).toSorted());
  });

  it.each(shown)("$name: its paragraphs are sentences, its examples command lines that xl takes", (command) => {
    const { text, examples = [] } = MANUAL[command.name] ?? { text: [] };
    expect(text.length).toBeGreaterThan(0);
    for (const paragraph of text) expect(paragraph).toMatch(/^[A-Z0-9].*\.$/s);
    for (const example of examples) {
      const [xl, name = "", ...args] = example.replace(/ {2}# .*/, "").split(" ");
      expect([xl, lookup(name)]).toEqual(["xl", command]);
      expect(getopt(args, command.options).operands.length).toBeGreaterThanOrEqual(command.required ?? 0);
    }
  });
});

describe("help of one command", () => {
  it("has usage, summary, options, description and examples, in 79 columns", () => {
    const text = describeCommand(lookup("dump-core") as (typeof CMDTABLE)[number], MANUAL["dump-core"]);
    expect(text).toBe(
      [
        "Usage: xl [-vtTf] dump-core <Domain> <File>",
        "",
        "Write a domain's memory and registers to an ELF core.",
        "",
        "Description:",
        "",
        "  Writes the domain's memory and registers as an ELF core that gdb, readelf and",
        "  crash open. The domain stands still meanwhile.",
        "",
        "Examples:",
        "",
        "  xl dump-core debian debian.core",
        "",
      ].join("\n"),
    );
  });
});

const hasGroff = spawnSync("groff", ["--version"]).status === 0;
describe("the manual page", () => {
  const page = manPage("1.2.3");

  it("has a section for each command that is in the list", () => {
    expect([...page.matchAll(/^\.SS (.+)$/gm)].map(([, name]) => name)).toEqual(shown.map(({ name }) => name));
    expect(page).toContain('.TH XL 1 "" "xl 1.2.3" "Xen on Arm"');
  });

  it.skipIf(!hasGroff)(`is what groff takes, without a warning${hasGroff ? "" : " (groff is not installed)"}`, () => {
    const folder = mkdtempSync(join(tmpdir(), "man-"));
    const file = join(folder, "xl.1");
    writeFileSync(file, page);
    const { stdout, stderr } = spawnSync("groff", ["-man", "-Tutf8", "-ww", "-P-c", file], { encoding: "utf8" });
    rmSync(folder, { recursive: true });
    expect(stderr).toBe("");
    expect(stdout).toContain("xl sched-credit2 -d debian -w 512");
    expect(stdout).toContain("xl console -t vuart -e ^a debian");
  });
});
