import { describe, expect, it } from "vitest";
import { CMDTABLE, lookup } from "./xl_cmdtable.js";
import { describeCommand, listCommands } from "./xl_help.js";

describe("command lookup", () => {
  it.each([
    ["create", "create"],
    ["cr", "create"],
    ["l", "list"],
    ["vcpu-l", "vcpu-list"],
    ["sched", "sched-credit2"],
    ["mem-m", "mem-max"],
    ["save", "save"],
    ["p", "pause"],
    ["unp", "unpause"],
    ["res", "resume"],
    ["dm", "dmesg"],
    ["debug", "debug-keys"],
    ["domid", "domid"],
  ])("finds %s as %s", (typed, name) => {
    expect(lookup(typed)?.name).toBe(name);
  });

  it.each(["d", "dom", "re", "v", "vcpu", "mem", "sav", "", "nothing", "moni"])("takes %j for no command", (typed) => {
    expect(lookup(typed)).toBeUndefined();
  });
});

describe("the table", () => {
  it("has every name once, in lower case, and every summary without a full stop", () => {
    expect(new Set(CMDTABLE.map(({ name }) => name)).size).toBe(CMDTABLE.length);
    for (const { name, summary, options } of CMDTABLE) {
      expect(name).toMatch(/^[a-z][a-z0-9-]*$/);
      expect(summary).toMatch(/^[A-Z].*[^.]$/);
      for (const option of options) expect(option.help).toMatch(/\.$/);
    }
  });

  it("gives every reading command --json", () => {
    const reading = ["list", "vm-list", "vcpu-list", "info", "domid", "domname", "dmesg", "uptime", "claims", "cpupool-list", "sched-credit2", "regions"];
    for (const name of reading) expect(lookup(name)?.options.map(({ long }) => long)).toContain("json");
  });
});

describe("help", () => {
  it("lists commands below four lines of head, as bash completion expects", () => {
    const lines = listCommands(CMDTABLE).split("\n");
    expect(lines.slice(0, 4)).toEqual(["Usage: xl [-vfNtT] <subcommand> [args]", "", "Subcommands of xl:", ""]);
    expect(lines[4]).toBe(" create              Create a domain from a config file");
    expect(lines.filter((line) => /^ [^ ]/.test(line))).toHaveLength(CMDTABLE.filter(({ isHidden }) => isHidden !== true).length);
  });

  it("breaks the line behind a long name", () => {
    const long = { ...(lookup("list") as (typeof CMDTABLE)[number]), name: "qemu-monitor-command" };
    expect(listCommands([long])).toContain(` qemu-monitor-command\n${" ".repeat(21)}List information about all or one domain\n`);
  });

  it.each([
    ["resume", "Usage: xl [-vtTf] resume <Domain>\n\nContinue a suspended domain where it asked to be resumed.\n\n"],
    [
      "dmesg",
      "Usage: xl [-vtT] dmesg [-c]\n\nPrint Xen's message buffer.\n\nOptions:\n\n  -c, --clear                    Empty the buffer after printing it.\n  --json                         Print JSON.\n",
    ],
  ])("describes %s", (name, text) => {
    expect(describeCommand(lookup(name) as (typeof CMDTABLE)[number])).toBe(text);
  });

  it("offers -N where there is a dry run", () => {
    expect(describeCommand(lookup("create") as (typeof CMDTABLE)[number])).toMatch(/^Usage: xl \[-vtTfN\] create <ConfigFile> /);
  });
});
