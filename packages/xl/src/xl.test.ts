import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createTestBed, type TestBed } from "../test/run-xl.js";

// Each test runs real processes, on machines that may be busy.
vi.setConfig({ testTimeout: 60_000 });

let bed: TestBed;
beforeAll(async () => {
  bed = await createTestBed();
}, 60_000);
afterAll(() => bed?.close());

describe("xl without a host", () => {
  it.each<[string, string[], number, RegExp, RegExp]>([
    ["no command", [], 1, /^Usage: xl .*\n\n.*\n\n create /, /^$/],
    ["help", ["help"], 0, /^Usage: xl /, /^$/],
    ["help for a command", ["help", "resume"], 0, /^Usage: xl \[-vtTf\] resume <Domain>/, /^$/],
    ["help for no command", ["help", "nothing"], 0, /^There is no command "nothing"\.\n$/, /^$/],
    ["-h behind a command that does not declare it", ["pause", "-h"], 0, /^Usage: xl \[-vtTf\] pause/, /^$/],
    ["--help, cut short, behind a command", ["list", "--he"], 0, /^Usage: xl \[-vtT\] list/, /^$/],
    ["help for help", ["help", "help"], 0, /^xl help lists the commands; /, /^$/],
    ["an unknown command", ["nothing"], 1, /^$/, /^xl: there is no command "nothing"/],
    ["an ambiguous command", ["re", "x"], 1, /^$/, /^xl: "re" may be reboot, resume, rename, regions$/m],
    ["help cut short", ["hel"], 1, /^$/, /there is no command "hel"/],
    ["an unknown global option", ["-x", "list"], 1, /^$/, /^xl: unknown option -x/],
    ["an unknown option of a command", ["list", "-y"], 2, /^$/, /^xl list: unknown option -y\n$/],
    ["too few operands", ["pause"], 2, /^Usage: xl \[-vtTf\] pause/, /^xl pause needs at least 1 argument\.\n\n$/],
    ["too few of two operands", ["rename", "a"], 2, /^Usage: /, /^xl rename needs at least 2 arguments\.\n\n$/],
    ["a dry run of a command that has none", ["-N", "list"], 1, /^$/, /^xl: list has no dry run/],
    ["create without a config", ["create"], 6, /^$/, /^xl: create needs a config file\n$/],
    ["create with two configs", ["create", "a", "b"], 2, /^Usage: /, /^$/],
    ["create with a config that is not there", ["create", "/nowhere.cfg"], 3, /^$/, /^xl: cannot read the config file \/nowhere\.cfg: ENOENT/],
    ["a bad escape character", ["console", "-e", "abc", "x"], 1, /^$/, /^xl: "abc" is no escape character/],
    ["the name of a number that is none", ["domname", "x"], 1, /^$/, /^xl: "x" is not a domain id\n$/],
  ])("%s", async (_title, args, code, stdout, stderr) => {
    const result = await bed.xl(args);
    expect(result).toMatchObject({ code, stdout: expect.stringMatching(stdout) as string, stderr: expect.stringMatching(stderr) as string });
  });

  it.each([
    ["a host that is not there", { XEN_HOST_BIN: "/nowhere.js" }, /^xl: cannot start the host: it ended at once \(exit 1\); see .*host\.log\n$/],
    [
      "a level of the log that there is not",
      { XEN_HOST_LOG: "loud" },
      /^xl: cannot start the host: XEN_HOST_LOG: "loud" is none of error, warn, info, debug\n$/,
    ],
    ["a directory that cannot be made", { XEN_HOST_DIR: "/proc/x" }, /^xl: cannot start the host: ENOENT.*\n$/],
    ["a directory that is open to others", { XEN_HOST_DIR: "/tmp" }, /^xl: cannot start the host: \/tmp .*\n$/],
    ["a path too long for a socket", { XEN_HOST_DIR: `/tmp/${"x".repeat(110)}` }, /^xl: cannot reach the host: .* is too long for a socket: set XEN_HOST_DIR/],
  ])("says in one line what is wrong with %s", async (_title, env, stderr) => {
    const result = await bed.xl(["list"], { env: { ...bed.env, ...(env as NodeJS.ProcessEnv) } });
    expect(result).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(stderr) as string });
  });
});
