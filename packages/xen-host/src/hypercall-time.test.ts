import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assemble } from "aarch64";
import { afterAll, expect, it } from "vitest";
import { openHost } from "./testing.js";

const folder = mkdtempSync(join(tmpdir(), "multicalls-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** An arm64 Image that does nothing but the longest hypercall there is: a multicall (13) of 2^32 - 1 entries, of which its share of work ends it. */
const ENDLESS = `
image:  b       start
        .word   0
        .xword  0
        .xword  0x100000
        .xword  0xa
        .xword  0, 0, 0
        .ascii  "ARM\\x64"
        .word   0
start:  adr     x19, batch
again:  mov     x0, x19
        mov     x1, #0xffffffff
        mov     x16, #13
        hvc     #0xea1
        b       again
        .balign 8
batch:  .xword  0
`;

/** Nanoseconds of an instruction, or of as much work in a hypercall. */
const NS_PER_UNIT = 100;

function kernel(name: string, source: string): string {
  const path = join(folder, name);
  writeFileSync(path, assemble(source).bytes);
  return path;
}

it("guests that ask for nothing but endless multicalls use up their slices on a virtual clock, and leave the others theirs", async () => {
  const host = await openHost({ nsPerInstruction: NS_PER_UNIT });
  const config = (name: string, source: string): Parameters<typeof host.createGuest>[0] => ({
    c_info: { name },
    b_info: { kernel: kernel(name, source), target_memkb: 32 * 1024 },
  });
  const hostile = await host.createGuest(config("hostile", ENDLESS));
  const other = await host.createGuest(config("other", ENDLESS));
  await host.sleep(100);
  const entries = await host.counter("calls_from_multicall");
  expect(entries).toBeGreaterThan(0);
  // Eight units of work for an entry: no slice has been endless.
  expect(entries).toBeLessThanOrEqual(110e6 / NS_PER_UNIT / 8);
  const times = await Promise.all([hostile, other].map(async (guest) => (await guest.info()).cpu_time / 1e6));
  for (const time of times) expect(Math.abs(time - 50)).toBeLessThan(12);
  await hostile.destroy();
  await host.close();
});
