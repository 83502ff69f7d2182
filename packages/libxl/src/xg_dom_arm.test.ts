import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LibxlError } from "./include/libxl.js";
import { placeSegments } from "./xg_dom_arm.js";

const MIB = 0x10_0000;
const BASE = 0x4000_0000;

describe("placement in bank 0", () => {
  it.each([
    ["128 MiB into the RAM if there is room", { ram: 512, kernel: 30, initrd: 20 * MIB }, { initrd: BASE + 128 * MIB, dtb: BASE + 148 * MIB }],
    ["exactly enough room", { ram: 129, kernel: 30, initrd: MIB - 4096 }, { initrd: BASE + 128 * MIB, dtb: BASE + 129 * MIB - 4096 }],
    ["at the end of the RAM if it is smaller", { ram: 128, kernel: 30, initrd: 20 * MIB }, { initrd: BASE + 108 * MIB - 4096, dtb: BASE + 128 * MIB - 4096 }],
    [
      "at the end of the RAM if the kernel is larger",
      { ram: 512, kernel: 129, initrd: 20 * MIB },
      { initrd: BASE + 492 * MIB - 4096, dtb: BASE + 512 * MIB - 4096 },
    ],
    ["without a ramdisk", { ram: 512, kernel: 30, initrd: undefined }, { initrd: undefined, dtb: BASE + 128 * MIB }],
    ["rounded to pages", { ram: 512, kernel: 30, initrd: 1 }, { initrd: BASE + 128 * MIB, dtb: BASE + 128 * MIB + 4096 }],
  ])("%s", (_, { ram, kernel, initrd }, expected) => {
    const placed = placeSegments({ ramSize: ram * MIB, kernel: { textOffset: 0, memorySize: kernel * MIB }, initrdSize: initrd, dtbSize: 2000 });
    expect({ initrd: placed.initrd?.start, dtb: placed.dtb }).toEqual(expected);
    expect(placed.kernel).toBe(BASE);
    if (placed.initrd !== undefined) expect(placed.initrd.end).toBe(placed.dtb);
  });

  it("below the kernel as a last resort", () => {
    const placed = placeSegments({ ramSize: 34 * MIB, kernel: { textOffset: 0x10_0000, memorySize: 33 * MIB }, initrdSize: 5000, dtbSize: 2000 });
    expect(placed).toEqual({ kernel: BASE + MIB, initrd: { start: BASE + MIB - 3 * 4096, end: BASE + MIB - 4096 }, dtb: BASE + MIB - 4096 });
  });

  it("keeps clear of the kernel's BSS, which the file does not have", () => {
    const placed = placeSegments({ ramSize: 64 * MIB, kernel: { textOffset: 0, memorySize: 50 * MIB }, initrdSize: 11 * MIB, dtbSize: 2000 });
    expect(placed.initrd?.start).toBeGreaterThanOrEqual(BASE + 50 * MIB);
  });

  it("says how much memory is needed if it is too little", () => {
    expect(() => placeSegments({ ramSize: 32 * MIB, kernel: { textOffset: 0, memorySize: 30 * MIB }, initrdSize: 20 * MIB, dtbSize: 2000 })).toThrow(
      "memory = 32 MiB is too little: kernel (30.0 MiB), ramdisk (20.0 MiB) and device tree need at least 51 MiB",
    );
  });

  it("never overlaps, never leaves the RAM, and a larger memory never hurts", () => {
    const size = fc.integer({ min: 1, max: 200 * MIB });
    fc.assert(
      fc.property(size, size, fc.option(size, { nil: undefined }), fc.constantFrom(0, 0x8_0000), (ram, memorySize, initrdSize, textOffset) => {
        const ramSize = Math.ceil(ram / 4096) * 4096;
        const place = (more: number): ReturnType<typeof placeSegments> | undefined => {
          try {
            return placeSegments({ ramSize: ramSize + more, kernel: { textOffset, memorySize }, initrdSize, dtbSize: 3000 });
          } catch (error) {
            expect(error).toBeInstanceOf(LibxlError);
            return undefined;
          }
        };
        const placed = place(0);
        if (placed === undefined) return;
        const segments = [
          [placed.kernel, placed.kernel + memorySize],
          ...(placed.initrd === undefined ? [] : [[placed.initrd.start, placed.initrd.end]]),
          [placed.dtb, placed.dtb + 4096],
        ].toSorted(([a = 0], [b = 0]) => a - b);
        let end = BASE;
        for (const [from = 0, to = 0] of segments) {
          expect(from).toBeGreaterThanOrEqual(end);
          end = to;
        }
        expect(end).toBeLessThanOrEqual(BASE + ramSize);
        expect(place(2 * MIB)).toBeDefined();
      }),
    );
  });
});
