import type { CompiledRegion, Libxl, RegionReport } from "libxl";
import { describe, expect, it } from "vitest";
import type { Invocation } from "./xl_context.js";
import { regions } from "./xl_regions.js";

const REGIONS: readonly CompiledRegion[] = [
  { address: 0x4000_3000, el: 1, tier: 0, entries: 64, instructions: 7 },
  { address: 0x4f00_0010, el: 0, tier: 1, entries: 6400, instructions: 240 },
];
const REPORT: RegionReport = {
  ...(REGIONS[0] as CompiledRegion),
  listing: ["40003000  d65f03c0  ret"],
  // A shared memory is imported, as on a host with several pCPUs.
  wasm: Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 2, 9, 1, 1, 0x6d, 1, 0x6d, 2, 3, 1, 1),
};

/** Runs the command on a toolstack with one guest; gives what it printed. */
async function run(operands: readonly string[], ...options: string[]): Promise<string> {
  let text = "";
  const libxl: Partial<Libxl> = {
    domainQualifierToDomid: async () => 3,
    compiledRegions: async () => [...REGIONS],
    compiledRegion: async (_domid, address) => {
      if (address !== REPORT.address) throw new Error(`no region at ${address}`);
      return REPORT;
    },
  };
  const xl = { libxl: async () => libxl, out: (part: string) => void (text += part) };
  const invocation = { xl, operands, options: new Map(options.map((name) => [name, true])) } as unknown as Invocation;
  expect(await regions(invocation)).toBe(0);
  return text;
}

describe("xl regions", () => {
  it("lists the regions by address", async () => {
    expect(await run(["guest"])).toBe(
      "Address    EL Tier Instructions Entries\n0x40003000  1    1            7      64\n0x4f000010  0    2          240    6400\n",
    );
  });

  it("lists them as JSON", async () => {
    expect(JSON.parse(await run(["guest"], "json"))).toEqual(REGIONS.map((region) => ({ ...region, tier: region.tier + 1 })));
  });

  it.each(["0x40003000", "1073754112"])("shows the region at %s: what it is, its instructions, its WebAssembly", async (address) => {
    expect(await run(["guest", address])).toBe(
      'region 0x40003000 el1 tier 1, 7 instructions, 19 bytes of WebAssembly\n\n40003000  d65f03c0  ret\n\n(module\n  (import "m" "m" (memory (;0;) 1 1 shared)))\n',
    );
  });

  it.each(["there", "-1", "1.5"])("says that %s is no address", async (address) => {
    await expect(run(["guest", address])).rejects.toThrow(`"${address}" is no guest physical address: xl regions guest lists them`);
  });
});
