import { beforeEach, describe, expect, it } from "vitest";
import { createLibxl, type Libxl } from "./libxl.js";
import { createFakeXenCtrl, type FakeXenCtrl } from "./testing.js";

let xen: FakeXenCtrl;
let libxl: Libxl;
beforeEach(() => {
  xen = createFakeXenCtrl({ nrCpus: 4 });
  libxl = createLibxl(xen);
});

/** Pool 1, "quiet", with CPU 3. */
async function createQuiet(): Promise<number> {
  await libxl.cpupoolCpuremove(0, 3);
  return libxl.cpupoolCreate({ name: "quiet", sched: "credit2", cpumap: [3], uuid: "11111111-1111-4111-9111-111111111111" });
}
const poolNodes = async (): Promise<object> => Object.fromEntries(Object.entries(await xen.nodes()).filter(([path]) => path.startsWith("/local/pool/")));

it("a pool has its CPUs, and a name and a UUID in xenstore", async () => {
  const poolid = await createQuiet();
  expect(await libxl.listCpupool()).toEqual([
    { poolid: 0, pool_name: "Pool-0", sched: "credit2", n_dom: 1, cpumap: [0, 1, 2] },
    { poolid: 1, pool_name: "quiet", sched: "credit2", n_dom: 0, cpumap: [3] },
  ]);
  expect(await poolNodes()).toMatchObject({ "/local/pool/1/name": "quiet", "/local/pool/1/uuid": "11111111-1111-4111-9111-111111111111" });
  expect([await libxl.cpupoolQualifierToCpupoolid("quiet"), await libxl.cpupoolidToName(1), await libxl.cpupoolidToName(2)]).toEqual([1, "quiet", undefined]);
  await libxl.cpupoolRename("loud", poolid);
  expect(await libxl.cpupoolidToName(poolid)).toBe("loud");
});

it("a pool that goes leaves nothing in xenstore, and its CPUs are free", async () => {
  await libxl.cpupoolDestroy(await createQuiet());
  expect([await libxl.getFreecpus(), await poolNodes(), (await libxl.getPhysinfo()).free_cpus]).toEqual([[3], {}, 1]);
});

it("a pool that does not get its CPUs is not there", async () => {
  await libxl.cpupoolCpuremove(0, 3);
  await expect(libxl.cpupoolCreate({ name: "x", sched: "credit2", cpumap: [3, 1] })).rejects.toThrow(
    "cannot add CPU 1 to the CPU pool: no such CPU, or none is free",
  );
  expect([(await libxl.listCpupool()).length, await libxl.getFreecpus()]).toEqual([1, [3]]);
});

it("each pool has a rate limit of its own", async () => {
  const poolid = await createQuiet();
  await libxl.schedCredit2ParamsSet(poolid, { ratelimit_us: 5000 });
  expect([await libxl.schedCredit2ParamsGet(0), await libxl.schedCredit2ParamsGet(poolid)]).toEqual([{ ratelimit_us: 1000 }, { ratelimit_us: 5000 }]);
});

describe("refused", () => {
  it.each<[string, () => Promise<unknown>, RegExp]>([
    ["another scheduler", () => libxl.cpupoolCreate({ name: "x", sched: "rtds", cpumap: [] }), /cannot create the CPU pool "x": there is no such thing/],
    ["the end of no pool", () => libxl.cpupoolDestroy(7), /no CPU pool 7/],
    ["the end of a pool with a domain", () => libxl.cpupoolDestroy(0), /still has domains, 1 of them/],
    ["a name for no pool", () => libxl.cpupoolRename("x", 7), /no CPU pool 7/],
    ["CPU 0 out of pool 0", () => libxl.cpupoolCpuremove(0, 0), /cannot remove CPU 0 .*: invalid argument/],
    ["a CPU that is elsewhere", () => libxl.cpupoolCpuremove(1, 2), /cannot remove CPU 2 .*: not there/],
    ["a CPU that there is not", () => libxl.cpupoolCpuadd(1, 9), /cannot add CPU 9 .*: invalid argument/],
    ["domain 0 elsewhere", () => libxl.cpupoolMovedomain(1, 0), /cannot move the domain .*: not permitted/],
    ["no domain", () => libxl.cpupoolMovedomain(1, 9), /cannot move the domain .*: no such domain/],
  ])("%s", async (_, call, message) => {
    await createQuiet();
    await expect(call()).rejects.toThrow(message);
  });
});

describe("parameters", () => {
  it.each([
    ["one", "loglvl=error", [["/params/loglvl", "error"]]],
    ["blanks around", "  loglvl=a=b\t", [["/params/loglvl", "a=b"]]],
    ["no", "nologlvl", [["/params/loglvl", "no"]]],
    ["a name that begins with no, and a value", "node=x", [["/params/node", "x"]]],
    [
      "several",
      "loglvl= guest_loglvl=all",
      [
        ["/params/loglvl", ""],
        ["/params/guest_loglvl", "all"],
      ],
    ],
    ["none", " ", []],
  ])("%s: %j", async (_, text, written) => {
    const calls: string[][] = [];
    await createLibxl({ ...xen, hypfsWrite: async (...args: string[]) => void calls.push(args) }).setParameters(text);
    expect(calls).toEqual(written);
  });

  it.each([
    ["loglvl", /"loglvl" has no value/],
    ["loglvl=all ept=1 loglvl=none", /cannot set the parameter "ept" to "1": there is no such thing/],
  ])("%s is refused", async (text, message) => {
    await expect(libxl.setParameters(text)).rejects.toThrow(message);
    expect(xen.calls.filter((call) => call === "hypfsWrite").length).toBeLessThan(3);
  });
});
