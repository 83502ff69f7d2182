import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { linkStatic } from "./elf.js";

const HELLO = `
_start: mov   x0, #1
        adr   x1, text
        mov   x2, #6
        mov   x8, #64
        svc   #0
        ldr   x3, =counter
        ldr   w4, [x3]
        add   w4, w4, #1
        str   w4, [x3, #4]
        ldr   w0, [x3, #4]
        ldr   x5, =zeros
        ldr   w6, [x5]
        add   w0, w0, w6
        mov   x8, #93
        svc   #0
text:   .ascii "hello\\n"
        .data
counter: .word 41, 0
        .bss
zeros:  .space 65536
`;

const has = (tool: string, option: string): boolean => spawnSync(tool, [option]).status === 0;

function written(source: string): string {
  const file = join(mkdtempSync(join(tmpdir(), "elf-")), "program");
  writeFileSync(file, linkStatic(source), { mode: 0o755 });
  return file;
}

describe("a static executable", () => {
  it("has a segment for text and one for data", () => {
    const view = new DataView(linkStatic(HELLO).buffer);
    const segment = (index: number): unknown[] => {
      const at = 64 + 56 * index;
      return [view.getUint32(at + 4, true), view.getBigUint64(at + 16, true), view.getBigUint64(at + 32, true), view.getBigUint64(at + 40, true)];
    };
    expect(view.getUint16(56, true)).toBe(2);
    expect(view.getBigUint64(24, true)).toBe(0x400100n);
    expect(segment(0)).toEqual([5, 0x400000n, 0x158n, 0x158n]);
    expect(segment(1)).toEqual([6, 0x410000n, 8n, 0x10010n]);
  });

  it("needs an entry", () => expect(() => linkStatic("nop")).toThrow("does not define '_start'"));

  it.skipIf(!has("qemu-aarch64", "-version"))("runs in QEMU user mode (Debian's qemu-user)", () => {
    const { stdout, status } = spawnSync("qemu-aarch64", [written(HELLO)], { encoding: "utf8" });
    expect([stdout, status]).toEqual(["hello\n", 42]);
  });

  it.skipIf(!has("readelf", "--version"))("is one that readelf has nothing to say against (Debian's binutils)", () => {
    const text = execFileSync("readelf", ["-lW", written(HELLO)], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    expect(text).toContain("Elf file type is EXEC (Executable file)\nEntry point 0x400100");
    expect(text).not.toMatch(/warning|error/i);
  });
});
