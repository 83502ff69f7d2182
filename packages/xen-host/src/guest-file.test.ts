import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { buildDomain, createStillHost } from "../test/still-host.js";
import { withGuestFiles } from "./guest-file.js";

const directory = mkdtempSync(join(tmpdir(), "guest-file-"));
afterAll(() => rmSync(directory, { recursive: true }));

const RAM = 0x4000_0000;

describe("a file for guest memory", () => {
  const ctrl = withGuestFiles(createStillHost().ctrl);

  it.each([0, 1, 4096, (1 << 20) + 3])("is written whole: %i bytes", async (length) => {
    const path = join(directory, `file-${length}`);
    const bytes = Uint8Array.from({ length }, (_, i) => i * 7 + (i >>> 8));
    writeFileSync(path, bytes);
    const domid = await buildDomain(ctrl);
    await ctrl.populatePhysmap(domid, (RAM >> 12) + 256, 16);
    await ctrl.writeGuestFile?.(domid, RAM + 0x10, path, length);
    expect(Buffer.compare(await ctrl.readGuestMemory(domid, RAM + 0x10, length), bytes)).toBe(0);
    await ctrl.destroyDomain(domid);
  });

  it("is refused when it is not what it was taken for", async () => {
    const path = join(directory, "short");
    writeFileSync(path, "abc");
    const pipe = join(directory, "pipe");
    execFileSync("mkfifo", [pipe]);
    const domid = await buildDomain(ctrl);
    const refusals: readonly (readonly [path: string, why: RegExp])[] = [
      [path, /short: it has 3 bytes, and had 4: is it being written\?/],
      [join(directory, "none"), /none: the host cannot open it: ENOENT/],
      [pipe, /pipe: it is no regular file/],
      [directory, /it is no regular file/],
    ];
    for (const [file, why] of refusals) await expect(ctrl.writeGuestFile?.(domid, RAM, file, 4)).rejects.toThrow(why);
    await expect(ctrl.writeGuestFile?.(domid, 0x1000, path, 3)).rejects.toMatchObject({ errno: 14 });
    await expect(ctrl.writeGuestFile?.(domid + 1, RAM, path, 3)).rejects.toMatchObject({ errno: 3 });
  });
});
