import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { CMDTABLE } from "./xl_cmdtable.js";
import { listCommands } from "./xl_help.js";

const SCRIPT = fileURLToPath(new URL("../completion/xl.bash", import.meta.url));

/** What bash offers for the words of a command line, the last of which is being typed. */
let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "completion-test-"));
  writeFileSync(join(directory, "help"), listCommands(CMDTABLE));
});
afterAll(() => rmSync(directory, { recursive: true }));
function complete(...words: string[]): string[] {
  const program = 'xl() { cat "$0"; }; . "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _xl; printf "%s\\n" "${COMPREPLY[@]}"';
  const env = { ...process.env, XEN_HOST_DIR: directory };
  const text = execFileSync("bash", ["-c", program, join(directory, "help"), SCRIPT, ...words], { encoding: "utf8", env });
  return text.trim().split("\n");
}

it.each([
  [
    ["xl", "vcpu"],
    ["vcpu-list", "vcpu-pin", "vcpu-set"],
  ],
  [["xl", "resu"], ["resume"]],
  [["xl", "Usage"], [""]],
  [["xl", "moni"], [""]],
  [["xl", "destroy", "x"], [""]],
])("bash completes %j to %j", (words, found) => expect(complete(...words)).toEqual(found));
