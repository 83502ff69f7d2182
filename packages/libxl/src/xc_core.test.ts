import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createLibxl } from "./libxl.js";
import { createFakeXenCtrl } from "./testing.js";

const KERNEL = new Uint8Array(4096);
new DataView(KERNEL.buffer).setUint32(0x38, 0x644d_5241, true);
new DataView(KERNEL.buffer).setUint32(16, KERNEL.length, true);
KERNEL.fill(0xab, 100);

const hasReadelf = ((): boolean => {
  try {
    execFileSync("readelf", ["--version"]);
    return true;
  } catch {
    return false;
  }
})();

/** A core in memory, and how it was written. */
async function dump(): Promise<{ bytes: Uint8Array; written: number; calls: readonly string[] }> {
  const ctrl = createFakeXenCtrl();
  const libxl = createLibxl(ctrl, { readFile: async () => KERNEL });
  const domid = await libxl.domainCreateNew({ c_info: { name: "a" }, b_info: { kernel: "k", target_memkb: 16 * 1024, max_vcpus: 2 } });
  ctrl.calls.length = 0;
  // A page that the balloon took.
  ctrl.domains.get(domid)?.pages.delete(0x40800);
  let bytes = new Uint8Array();
  let written = 0;
  await libxl.domainCoreDump(domid, {
    truncate: async (size) => void (bytes = new Uint8Array(size)),
    async write(from, offset, length, position) {
      bytes.set(from.subarray(offset, offset + length), position);
      written += length;
    },
  });
  return { bytes, written, calls: ctrl.calls };
}

it("holds the memory at its guest physical address and pauses the domain meanwhile", async () => {
  const { bytes, written, calls } = await dump();
  expect(bytes.length).toBe(4096 + 16 * 1024 * 1024);
  expect(written).toBeLessThan(9 * 1024 * 1024);
  expect(calls).toEqual(["pauseDomain", "unpauseDomain"]);
  // The Image was loaded at the start of the RAM.
  expect([...bytes.subarray(4096 + 100, 4096 + 104)]).toEqual([0xab, 0xab, 0xab, 0xab]);
});

it.skipIf(!hasReadelf)("is what readelf takes for a core (skipped without binutils)", async () => {
  const directory = mkdtempSync(join(tmpdir(), "core-test-"));
  try {
    const path = join(directory, "core");
    const file = await open(path, "w");
    await file.write((await dump()).bytes);
    await file.close();
    const text = execFileSync("readelf", ["-h", "-l", "-n", "-W", path], { encoding: "utf8" });
    expect(text).toMatch(/Type: +CORE/);
    expect(text).toMatch(/Machine: +AArch64/);
    expect(text).toMatch(/LOAD +0x001000 0x0+40000000 0x0+40000000 0x1000000 0x1000000 RWE 0x1000/);
    expect(text.match(/CORE +0x00000188\tNT_PRSTATUS/g)).toHaveLength(1);
    expect(text).not.toMatch(/[Ww]arning|[Ee]rror/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

it.each([
  [0, "domain 0"],
  [9, "does not exist"],
])("there is none of domain %d", async (domid, message) => {
  const file = { truncate: async () => undefined, write: async () => undefined };
  await expect(createLibxl(createFakeXenCtrl()).domainCoreDump(domid, file)).rejects.toThrow(message);
});
