import type { ChildProcess } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lockHolder } from "libxl";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { createTestBed, finished, isAlive, type Result, type TestBed, waitUntil } from "../test/run-xl.js";
import { ECHO_GUEST, SPINNING_GUEST, SUSPENDING_GUEST, writeImage } from "../test/tiny-guest.js";

// Each test runs real processes, on machines that may be busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let bed: TestBed;
beforeAll(async () => {
  bed = await createTestBed();
  for (const [name, lines] of Object.entries({ suspending: SUSPENDING_GUEST, echo: ECHO_GUEST, spinning: SPINNING_GUEST })) {
    writeImage(join(bed.directory, name), lines);
    const cfg = `name = "${name}"\nkernel = "${join(bed.directory, name)}"\nmemory = 16\nvuart = "sbsa_uart"\n`;
    writeFileSync(join(bed.directory, `${name}.cfg`), cfg);
  }
}, 60_000);
afterAll(() => bed?.close());
afterEach(async () => {
  const guests = JSON.parse((await bed.xl(["list", "--json"])).stdout) as { domid: number }[];
  for (const { domid } of guests) if (domid !== 0) await bed.xl(["destroy", String(domid)]);
});

const cfg = (name: string): string => join(bed.directory, `${name}.cfg`);
/** The six letters of a guest's state; "" where there is none. */
async function state(name: string): Promise<string> {
  const { stdout } = await bed.xl(["list"]);
  return new RegExp(`^${name} +\\d+ +\\d+ +\\d+ +(\\S{6}) `, "m").exec(stdout)?.[1] ?? "";
}
/** Attaches to a guest's vuart and waits for its first line, since a guest may print slower than it is read. */
async function watch(name: string): Promise<{ child: ChildProcess; ended: Promise<Result> }> {
  const child = bed.startXl(["console", "-t", "vuart", name]);
  const ended = finished(child);
  const line = new Promise<void>((resolve) => child.stdout?.on("data", (text: string) => text.includes("\n") && resolve()));
  await Promise.race([line, ended]);
  return { child, ended };
}
/** Creates a guest; shows what went wrong where that fails. */
async function create(name: string, ...args: string[]): Promise<void> {
  expect(await bed.xl(["create", cfg(name), ...args])).toMatchObject({ code: 0, stdout: "", stderr: `xl: reading the config from ${cfg(name)}\n` });
}

describe("the main path", () => {
  it.each([
    ["compiled", "compiler=1", /^\(XEN\).*d\d+: regions=\d+ modules=\d+ instructions=\d+ bytes=\d+ invalidations=\d+/m],
    ["interpreted", "compiler=0", /d\d+: interpreted, compiler = 0$/m],
  ])("a guest suspends itself, xl list shows it, xl resume brings it back, and its poweroff ends it: %s", async (_title, compiler, statistics) => {
    await bed.xl(["debug-keys", "P"]);
    await create("suspending", compiler);
    await waitUntil(async () => (await state("suspending")) === "---ss-", "the guest to suspend");

    await bed.xl(["debug-keys", "J"]);
    expect((await bed.xl(["dmesg", "-c"])).stdout).toMatch(statistics);
    const { ended: watcher } = await watch("suspending");
    expect(await bed.xl(["resume", "suspending"])).toMatchObject({ code: 0, stdout: "", stderr: "" });
    expect(await watcher).toMatchObject({ code: 0, stdout: "hello from EL1\nResumed\n", stderr: "" });

    await waitUntil(async () => (await state("suspending")) === "", "the monitor to destroy the guest");
    const log = readFileSync(join(bed.hostDirectory, "xl-suspending.log"), "utf8");
    expect(log).toMatch(/watching domain \d+\n.*has suspended\n.*has shut down, reason poweroff \(0\); action destroy\n/);

    expect(await bed.xl(["debug-keys", "p"])).toMatchObject({ code: 0, stdout: "" });
    const { stdout } = await bed.xl(["dmesg"]);
    expect(stdout).toMatch(/vpsci: system_suspend +TOTAL\[ +1\]/);
    expect(stdout).toMatch(/vpsci: system_off +TOTAL\[ +1\]/);
  });

  it("create -c shows the guest from the first byte and ends with it", async () => {
    const running = finished(bed.startXl(["create", "-q", "-c", cfg("echo"), 'name="typed"']));
    await waitUntil(async () => (await state("typed")) !== "", "the guest");
    const typing = await bed.xl(["console", "-t", "vuart", "typed"], { input: "abcq" });
    expect(typing).toMatchObject({ code: 0, stdout: "ready\nabcq", stderr: "" });
    expect(await running).toMatchObject({ code: 0, stderr: "" });
  });
});

describe("commands on guests", () => {
  it("create -p leaves it paused, unpause lets it run, pause stops it", async () => {
    await create("spinning", "-p");
    expect(await state("spinning")).toBe("--p---");
    await bed.xl(["unpause", "spinning"]);
    await waitUntil(async () => (await state("spinning")) === "r-----", "the guest to run");
    await bed.xl(["pause", "spinning"]);
    expect(await state("spinning")).toBe("--p---");
  });

  it("answer while a guest spins", async () => {
    await create("spinning");
    const start = Date.now();
    expect(await bed.xl(["info", "nr_cpus"])).toMatchObject({ code: 0, stdout: "2\n" });
    expect(Date.now() - start).toBeLessThan(5000);
    expect((await bed.xl(["vcpu-list", "spinning"])).stdout).toMatch(/\nspinning +\d+ +0 +[01] +r-- +\d+\.\d {2}all \/ all\n$/);
  });

  it("find names and ids, and rename", async () => {
    await create("spinning", "-p");
    const id = (await bed.xl(["domid", "spinning"])).stdout.trim();
    expect((await bed.xl(["domname", id])).stdout).toBe("spinning\n");
    expect(await bed.xl(["rename", "spinning", "other"])).toMatchObject({ code: 0, stderr: "" });
    expect((await bed.xl(["domname", id])).stdout).toBe("other\n");
    expect((await bed.xl(["vm-list"])).stdout).toMatch(new RegExp(`^UUID +ID {4}name\n[0-9a-f-]{36}  ${id}    other +\n$`));
    expect((await bed.xl(["uptime", "other"])).stdout).toMatch(new RegExp(`^Name +ID Uptime\nother +${id}  0:00:\\d\\d\n$`));
    expect(JSON.parse((await bed.xl(["list", "-l", id])).stdout)).toMatchObject([{ domid: Number(id), config: { c_info: { type: "pvh" } } }]);
  });

  it.each<[string, string[], number, RegExp]>([
    ["a name that nobody has", ["pause", "nobody"], 1, /^xl: nobody is an invalid domain identifier \(rc=-6\)\n$/],
    ["resume of a number that is none: told, but exit 0", ["resume", "77"], 0, /^libxl: .*\n(libxl: .*\n)?$/],
    ["pause of a number that is none: told, but exit 0", ["pause", "77"], 0, /^libxl: error: Domain 77: .*no such domain.*\n$/],
    ["destroy of a number that is none", ["destroy", "77"], 1, /^libxl: error: Domain 77: .*does not exist\n$/],
    ["resume of the host: told, but exit 0", ["resume", "0"], 0, /^libxl: error: Domain 0: domain 0 is the host itself: it never suspends.*\n$/],
    ["rename of the host", ["rename", "0", "x"], 1, /^libxl: error: Domain 0: domain 0 is the host itself and keeps its name\n$/],
    ["destroy of the host", ["destroy", "0"], 1, /^xl: domain 0 is the host itself/],
    ["list of a number that is none", ["list", "77"], 1, /^xl: domain 77 does not exist\n$/],
    ["the console of the host", ["console", "0"], 1, /^libxl: error: Domain 0: .*has no console.*\n$/],
    ["the console of a number that is none", ["console", "77"], 1, /^xl: domain 77 does not exist\n$/],
    ["domid of nobody", ["domid", "nobody"], 1, /^xl: there is no domain "nobody"\n$/],
    ["domname of nobody", ["domname", "77"], 1, /^xl: there is no domain 77\n$/],
  ])("%s", async (_title, args, code, stderr) => {
    expect(await bed.xl(args)).toMatchObject({ code, stdout: "", stderr: expect.stringMatching(stderr) as string });
  });

  it("shutdown says that the guest does not use xenstore, and changes nothing", async () => {
    await create("spinning");
    expect(await bed.xl(["shutdown", "spinning"])).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(/does not use xenstore/) as string });
    expect(await state("spinning")).toBe("r-----");
  });
});

describe("create refuses", () => {
  it.each<[string, string, number, RegExp]>([
    ["a config with errors", "name =\n", 1, /config parsing error/],
    ["a config without a name", "memory = 16\n", 1, /has no name/],
    ["a kernel that is not there", 'name="x"\nkernel="/nowhere"\nmemory=16\n', 3, /nowhere/],
    ["a config without a kernel", 'name="x"\nmemory=16\n', 6, /kernel/],
    ["a bad GIC", 'name="x"\ngic_version="v9"\n', 3, /gic_version "v9"/],
  ])("%s", async (_title, text, code, stderr) => {
    const path = join(bed.directory, "bad.cfg");
    writeFileSync(path, text);
    const result = await bed.xl(["create", "-q", path]);
    expect(result.stderr).toMatch(stderr);
    expect(result).toMatchObject({ code, stdout: "" });
    expect((await bed.xl(["vm-list"])).stdout.split("\n")).toHaveLength(2);
  });

  it("a name that is taken", async () => {
    await create("spinning", "-p");
    const second = await bed.xl(["create", "-q", cfg("spinning")]);
    expect(second.code).not.toBe(0);
    expect(second.stderr).toMatch(/spinning/);
  });
});

/** What libxl's generator gives for the config of the test below: IDL order, initial values left out. */
const SPINNING_JSON = `{
    "c_info": {
        "type": "pvh",
        "name": "spinning"
    },
    "b_info": {
        "max_vcpus": 2,
        "avail_vcpus": [
            0,
            1
        ],
        "max_memkb": 16384,
        "target_memkb": 16384,
        "sched_params": {

        },
        "kernel": "KERNEL",
        "type.pvh": {

        },
        "arch_arm": {
            "vuart": "sbsa_uart"
        },
        "arch_x86": {

        }
    },
    "on_reboot": "restart",
    "on_crash": "preserve",
    "on_soft_reset": "soft_reset"
}
`;

it("create -n prints the config and makes nothing", async () => {
  const result = await bed.xl(["create", "-n", "-q", cfg("spinning"), "vcpus=2", 'on_crash="preserve"']);
  expect(result).toMatchObject({ code: 0, stderr: "" });
  const shown = await bed.xl(["create", "-n", "-d", "-q", cfg("spinning"), "vcpus=2", 'on_crash="preserve"']);
  expect(shown).toEqual({ ...result, stderr: result.stdout });
  expect(result.stdout).toBe(SPINNING_JSON.replace("KERNEL", join(bed.directory, "spinning")));
  expect((await bed.xl(["domid", "spinning"])).code).toBe(1);
});

describe("the monitor", () => {
  it("is one process for all domains, which is there as long as they are", async () => {
    const holder = (): number | undefined => lockHolder(join(bed.hostDirectory, "monitor.lock"));
    await Promise.all(["one", "two"].map((name) => create("echo", `name="${name}"`)));
    await waitUntil(() => holder() !== undefined, "the monitor to start");
    const pid = holder() as number;
    await create("echo", 'name="three"');
    for (const name of ["one", "two", "three"]) {
      await waitUntil(() => existsSync(join(bed.hostDirectory, `xl-${name}.log`)), `the watch over ${name}`);
    }
    expect(holder()).toBe(pid);
    for (const name of ["one", "two", "three"]) await bed.xl(["destroy", name]);
    await waitUntil(() => !isAlive(pid), "the monitor to end");
  });

  it("that was killed is followed by one that watches the same domains", async () => {
    const holder = (): number | undefined => lockHolder(join(bed.hostDirectory, "monitor.lock"));
    await create("echo", 'name="orphan"', 'on_poweroff="preserve"');
    await waitUntil(() => existsSync(join(bed.hostDirectory, "xl-orphan.log")), "the first watch");
    process.kill(holder() as number, "SIGKILL");
    await create("echo", 'name="other"');
    const log = (): string => readFileSync(join(bed.hostDirectory, "xl-orphan.log"), "utf8");
    await waitUntil(() => log().split("watching domain").length === 3, "the second watch");
  });

  it("preserve leaves the guest as it is, with its console", async () => {
    await create("echo", 'on_poweroff="preserve"');
    const { child, ended } = await watch("echo");
    child.stdin?.write("q");
    await waitUntil(async () => (await state("echo")) === "---s--", "the guest to power off");
    child.kill("SIGTERM");
    expect((await ended).stdout).toBe("ready\nq");
    expect(await state("echo")).toBe("---s--");
  });

  it("runs in the foreground with -F and ends with the guest", async () => {
    const monitor = finished(bed.startXl(["create", "-q", "-F", cfg("echo")]));
    await waitUntil(async () => (await state("echo")) !== "", "the guest");
    await bed.xl(["console", "-t", "vuart", "echo"], { input: "q" });
    expect(await monitor).toMatchObject({ code: 0, stdout: "", stderr: expect.stringMatching(/^watching domain .*\n.*action destroy\n$/) as string });
    expect(await state("echo")).toBe("");
  });

  it("is left out with -e", async () => {
    await create("echo", "-e", 'name="alone"');
    const { child, ended } = await watch("alone");
    child.stdin?.write("q");
    await waitUntil(async () => (await state("alone")) === "---s--", "the guest to power off");
    child.kill();
    await ended;
    expect(existsSync(join(bed.hostDirectory, "xl-alone.log"))).toBe(false);
  });

  it("restart makes the guest again, from a kernel that was named relative to where create ran", async () => {
    const created = await bed.xl(["create", "-q", "echo.cfg", 'on_poweroff="restart"', 'kernel="echo"'], { cwd: bed.directory });
    expect(created).toMatchObject({ code: 0, stdout: "", stderr: "" });
    const id = (await bed.xl(["domid", "echo"])).stdout;
    expect((await bed.xl(["console", "-t", "vuart", "echo"], { input: "q" })).stdout).toBe("ready\nq");
    await waitUntil(async () => !["", id].includes((await bed.xl(["domid", "echo"])).stdout), "the new guest");
    const { child, ended } = await watch("echo");
    child.kill();
    expect((await ended).stdout).toBe("ready\n");
  });

  it("brakes a guest that dies again and again, and destroy ends that", async () => {
    await create("echo", 'on_poweroff="restart"', 'name="storm"');
    const path = join(bed.hostDirectory, "xl-storm.log");
    const log = (): string => (existsSync(path) ? readFileSync(path, "utf8") : "");
    for (const lives of [1, 2, 3]) {
      await waitUntil(() => log().split("watching domain").length === lives + 1 && !log().endsWith("again in 2 s\n"), `life ${lives}`);
      const { child, ended } = await watch("storm");
      child.stdin?.write("q");
      await waitUntil(() => log().split("action restart").length === lives + 1, `death ${lives}`);
      child.kill();
      await ended;
    }
    await waitUntil(() => log().includes("did not live long: it is made again 6 s later, unless it is destroyed before"), "the brake");
    expect(await bed.xl(["destroy", "storm"])).toMatchObject({ code: 0 });
    await waitUntil(() => log().endsWith("was destroyed meanwhile: it is not made again\n"), "the monitor to end");
  });

  it("coredump-restart leaves a core, and makes the guest again from the config that config-update left", async () => {
    await create("echo", 'on_poweroff="coredump-restart"');
    const updated = await bed.xl(["config-update", "echo", cfg("echo"), 'name="updated"']);
    expect(updated).toMatchObject({ code: 0, stdout: "", stderr: expect.stringContaining("for experts") as string });
    await bed.xl(["console", "-t", "vuart", "echo"], { input: "q" });
    await waitUntil(async () => (await state("updated")) !== "", "the new guest");
    expect(statSync(join(bed.hostDirectory, "dump", "echo")).size).toBeGreaterThan(16 * 1024 * 1024);
  });

  it("rename-restart keeps the old guest under another name and UUID", async () => {
    await create("echo", 'on_poweroff="rename-restart"');
    const guests = async (): Promise<{ name: string; uuid: string; domid: number }[]> => JSON.parse((await bed.xl(["vm-list", "--json"])).stdout);
    const [before] = await guests();
    const { child, ended } = await watch("echo");
    child.stdin?.write("q");
    await waitUntil(async () => (await guests()).length === 2, "the new guest");
    child.kill();
    await ended;
    const [kept, made] = await guests();
    expect(kept).toMatchObject({ domid: before?.domid, name: expect.stringMatching(/^echo-\d{8}T\d{4}Z$/) as string });
    expect(made).toMatchObject({ name: "echo", uuid: before?.uuid });
    expect(kept?.uuid).not.toBe(made?.uuid);
    expect((await bed.xl(["uptime", String(kept?.domid), String(made?.domid)])).stdout.split("\n")).toHaveLength(4);
  });
});

it("a host killed with SIGKILL: the next xl says what was lost and starts anew", async () => {
  await create("spinning");
  await create("echo");
  const { ended: watcher } = await watch("echo");
  const pid = bed.hostPid();
  await waitUntil(() => readFileSync(join(bed.hostDirectory, "domains.json"), "utf8") === '["spinning","echo"]', "the state file");
  process.kill(pid, "SIGKILL");
  await waitUntil(() => !isAlive(pid), "the host to die");
  expect(await watcher).toMatchObject({ code: 1, stdout: "ready\n", stderr: "xl: the host is gone\n" });
  const next = await bed.xl(["list"]);
  expect(next).toMatchObject({ code: 0, stderr: "xl: the host died and took spinning, echo with it; a new one was started\n" });
  expect(next.stdout.split("\n")).toHaveLength(3);
  expect(await bed.xl(["list"])).toMatchObject({ code: 0, stderr: "" });
});

it("an xl that is killed in the middle of a console leaves the guest and the next console alone", async () => {
  await create("echo");
  const child = bed.startXl(["console", "-t", "vuart", "echo"]);
  const ended = finished(child);
  child.stdin?.write("a");
  await waitUntil(async () => (await state("echo")) !== "", "the guest");
  child.kill("SIGKILL");
  await ended;
  const next = await bed.xl(["console", "-t", "vuart", "echo"], { input: "bq" });
  expect(next.stdout).toMatch(/^ready\na?bq$/);
});
