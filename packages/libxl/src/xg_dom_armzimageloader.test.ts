import { describe, expect, it } from "vitest";
import { isLibxlError } from "./include/libxl.js";
import { isGzip, probeArm64Image } from "./xg_dom_armzimageloader.js";

interface ImageFields {
  readonly size?: number;
  readonly textOffset?: bigint;
  readonly imageSize?: bigint;
  readonly flags?: bigint;
  readonly magic?: number;
  readonly code0?: number;
}

function image({ size = 0x1000, textOffset = 0n, imageSize = 0x2000n, flags = 0xan, magic = 0x644d5241, code0 = 0 }: ImageFields = {}): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, code0, true);
  view.setBigUint64(8, textOffset, true);
  view.setBigUint64(16, imageSize, true);
  view.setBigUint64(24, flags, true);
  view.setUint32(0x38, magic, true);
  return bytes;
}

/** An Image with an EFI stub whose one section ends at `end` in the file. */
function efiImage(size: number, end: number): Uint8Array {
  const bytes = image({ size, code0: 0xfa405a4d });
  const view = new DataView(bytes.buffer);
  view.setUint32(0x3c, 0x40, true);
  view.setUint32(0x40, 0x4550, true);
  view.setUint16(0x46, 1, true);
  view.setUint16(0x54, 0xa0, true);
  const section = 0x40 + 24 + 0xa0;
  view.setUint32(section + 16, end - 0x200, true);
  view.setUint32(section + 20, 0x200, true);
  return bytes;
}

function bytes(size: number, ...pieces: readonly (readonly [at: number, text: string | number[]])[]): Uint8Array {
  const out = new Uint8Array(size);
  for (const [at, piece] of pieces) out.set(typeof piece === "string" ? new TextEncoder().encode(piece) : piece, at);
  return out;
}

describe("arm64 Images", () => {
  it.each([
    ["reserve what the header says, BSS included", image(), { textOffset: 0, memorySize: 0x2000 }],
    ["reserve the file if the header says nothing", image({ imageSize: 0n }), { textOffset: 0, memorySize: 0x1000 }],
    ["keep their text offset", image({ textOffset: 0x8_0000n }), { textOffset: 0x8_0000, memorySize: 0x2000 }],
    ["of 2012 have no magic but a branch", image({ magic: 0, code0: 0x14000008, imageSize: 0n }), { textOffset: 0, memorySize: 0x1000 }],
    ["with an EFI stub that are whole are taken", efiImage(0x1000, 0x1000), { textOffset: 0, memorySize: 0x2000 }],
    ["with something behind the last section, such as a signature, too", efiImage(0x1234, 0x1000), { textOffset: 0, memorySize: 0x2000 }],
  ])("%s", (_, file, expected) => {
    expect(probeArm64Image(file, "Image")).toEqual(expected);
  });

  it.each([
    ["empty", new Uint8Array(0), /kernel k: the file is empty/],
    ["shorter than its header", image().subarray(0, 63), /63 bytes are too few .* truncated/],
    ["cut off behind the header", efiImage(0x800, 0x1000), /has 2048 of 4096 bytes: it is truncated/],
    ["cut off in the section table", efiImage(0x1000, 0x1000).subarray(0, 0x100), /has 256 of 288 bytes: it is truncated/],
    ["big-endian", image({ flags: 0xbn }), /big-endian/],
    ["of a text offset that cannot be", image({ textOffset: 0x4000_0000n }), /text_offset 0x40000000/],
    ["of a size that cannot be", image({ imageSize: 1n << 40n }), /0x10000000000 bytes of memory/],
    ["an x86 bzImage", bytes(0x400, [0, "MZ"], [0x202, "HdrS"]), /x86 bzImage/],
    ["an x86-64 vmlinux", bytes(0x100, [0, [0x7f, 0x45, 0x4c, 0x46, 2, 1]], [18, [62, 0]]), /ELF file for x86-64/],
    ["an arm64 vmlinux", bytes(0x100, [0, [0x7f, 0x45, 0x4c, 0x46, 2, 1]], [18, [183, 0]]), /arm64 ELF file: use the Image/],
    ["an ELF file of another machine", bytes(0x100, [0, [0x7f, 0x45, 0x4c, 0x46, 2, 1]], [18, [8, 0]]), /machine 8/],
    ["a 32-bit zImage", bytes(0x100, [0x24, [0x18, 0x28, 0x6f, 0x01]]), /32-bit Arm zImage/],
    ["an EFI zboot image", bytes(0x400, [0, "MZ"], [4, "zimg"], [0x18, "gzip"], [0x38, [0xcd, 0x23, 0x82, 0x81]]), /EFI zboot image \(gzip compressed\)/],
    ["something else", bytes(0x100, [0, "#!/bin/sh"]), /begins with 23 21 2f 62/],
  ])("that are %s are refused", (_, file, message) => {
    let error: unknown;
    try {
      probeArm64Image(file, "k");
    } catch (thrown) {
      error = thrown;
    }
    expect(isLibxlError(error, "INVAL") && error.message).toMatch(message);
  });

  it("are told from gzip'd ones", () => {
    expect([isGzip(Uint8Array.of(0x1f, 0x8b, 8)), isGzip(image()), isGzip(new Uint8Array(0))]).toEqual([true, false, false]);
  });
});
