import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isInterpreted } from "guests";
import { afterAll, describe, expect, it } from "vitest";
import { createTestHost, isBuilt } from "./host.js";

const folder = mkdtempSync(join(tmpdir(), "bad-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A file of `length` bytes with some bytes or words set. */
function file(name: string, length: number, content: Readonly<Record<number, string | number>> = {}): string {
  const bytes = Buffer.alloc(length);
  for (const [offset, value] of Object.entries(content)) {
    if (typeof value === "string") bytes.write(value, Number(offset), "latin1");
    else bytes.writeUInt32LE(value, Number(offset));
  }
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** An arm64 Image (Documentation/arm64/booting) of 4 KiB that runs `words`. */
function image(name: string, words: readonly number[], imageSize = 0x1000): string {
  const header = { 0: 0x1400_0010, 16: imageSize, 24: 0xa, 56: "ARMd" };
  return file(name, 0x1000, { ...header, ...Object.fromEntries(words.map((word, index) => [0x40 + 4 * index, word])) });
}

function config(name: string, lines: Readonly<Record<string, string | number>>): string {
  const path = join(folder, `${name}.cfg`);
  writeFileSync(
    path,
    Object.entries({ name, memory: 32, ...(isInterpreted && { compiler: 0 }), ...lines })
      .map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`)
      .join(""),
  );
  return path;
}

describe.skipIf(!isBuilt)("bad input (needs a build)", () => {
  const host = createTestHost();
  afterAll(() => host.stop());

  it.each([
    ["that is not there", join(folder, "missing"), /missing: cannot be read: ENOENT/],
    ["that is empty", file("empty", 0), /empty: the file is empty/],
    ["that ends in its header", file("short", 40), /short: 40 bytes are too few/],
    ["for x86", file("x86", 4096, { 0: "MZ", 510: 0xaa55, 514: "HdrS" }), /x86: it is an x86 bzImage/],
    ["for 32-bit Arm", file("arm32", 4096, { 36: 0x016f_2818 }), /arm32: it is a 32-bit Arm zImage/],
    ["in an EFI zboot image", file("zboot", 4096, { 0: "MZ", 4: "zimg", 24: "gzip" }), /zboot: it is an EFI zboot image/],
    ["in an ELF file", file("elf", 4096, { 0: "\x7fELF" }), /elf: it is an ELF file/],
  ])("a kernel %s is refused with exit code 3", async (_title, kernel, message) => {
    const { code, stderr } = await host.tryXl("create", "-q", config("bad", { kernel }));
    expect(stderr).toMatch(message);
    expect(code).toBe(3);
  });

  it.each([
    ["too little memory", { kernel: image("large", [0x1400_0000], 0x200_0000), memory: 16 }, 3, /too little/],
    ["more memory than a guest can have", { kernel: image("spin", [0x1400_0000]), memory: 800_000 }, 6, /at most \d+ MiB/],
  ])("%s is refused", async (_title, lines, wanted, message) => {
    const { code, stderr } = await host.tryXl("create", "-q", config("bad", lines));
    expect(stderr).toMatch(message);
    expect(code).toBe(wanted);
  });

  it.each([
    ["list", 1],
    ["resume", 1],
    ["console", 1],
    ["destroy", 1],
    ["pause", 1],
  ])("xl %s of an unknown name says so", async (command, wanted) => {
    const { code, stderr } = await host.tryXl(command, "nobody");
    expect(stderr).toContain("nobody");
    expect(code).toBe(wanted);
  });

  it("errors of a cfg are all told, with their lines", async () => {
    const path = join(folder, "syntax.cfg");
    writeFileSync(path, "name = 'x\nmemory = yes\n-1\n");
    const { code, stderr } = await host.tryXl("create", path);
    expect(stderr.match(/syntax\.cfg:\d: config parsing error near/g)).toEqual([1, 2, 3].map((line) => `syntax.cfg:${line}: config parsing error near`));
    expect(code).toBe(1);
  });

  it("a guest's name cannot be taken twice", async () => {
    const path = config("twin", { kernel: image("spin", [0x1400_0000]) });
    await host.xl("create", "-q", path);
    const { code, stderr } = await host.tryXl("create", "-q", path);
    expect(stderr).toMatch(/twin/);
    expect(code).not.toBe(0);
    await host.xl("destroy", "twin");
  });

  it.each([
    ["spins", [0x1400_0000]], // b .
    ["runs garbage", [0xffff_ffff]], // Undefined, and so is what is at the vector.
    ["jumps to unmapped memory", [0xd280_0000, 0xd61f_0000]], // mov x0, #0; br x0
    ["hammers undefined hypercalls", [0xd280_0c70, 0xd401_d422, 0x17ff_ffff]], // mov x16, #99; hvc #0xea1; b .-4
    ["hammers unmapped devices", [0xd2a1_2000, 0xb900_0000, 0x17ff_ffff]], // mov x0, #0x9000000; str w0, [x0]; b .-4
    ["turns its MMU on with no tables", [0xd280_0020, 0xd518_1000, 0xd503_3fdf, 0x1400_0000]], // mov x0, #1; msr sctlr_el1, x0; isb; b .
  ])("a guest that %s harms nobody and can be destroyed", async (_title, words) => {
    await host.xl("create", "-q", config("hostile", { kernel: image("hostile", words), on_crash: "preserve" }));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await host.state("hostile")).toBeDefined();
    expect(await host.state("Domain-0")).toBe("r-----");
    await host.xl("destroy", "hostile");
    expect(await host.state("hostile")).toBeUndefined();
  });
});
