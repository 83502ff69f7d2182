import { beforeEach, describe, expect, it, vi } from "vitest";
import { ERRNO } from "xen-public";
import { createMachine, type Machine } from "./testing/machine.js";

let m: Machine;
beforeEach(() => void (m = createMachine()));

const RAM = 0x4_0000;
const arch = () => m.xen.arch;

describe("guest memory", () => {
  it("is zero, and its pages are live views", () => {
    const page = arch().guestPage(m.d, RAM + 100)!;
    expect(page.every((byte) => byte === 0)).toBe(true);
    arch().writeGuest(m.d, (RAM + 100) * 4096 + 5, Uint8Array.of(1, 2));
    expect([...page.subarray(4, 8)]).toEqual([0, 1, 2, 0]);
  });

  it("copies across pages, and stops where none is", () => {
    const bytes = Uint8Array.from({ length: 10_000 }, (_, i) => i);
    expect(arch().writeGuest(m.d, RAM * 4096 + 4000, bytes)).toBe(true);
    const back = new Uint8Array(10_000);
    expect(arch().readGuest(m.d, RAM * 4096 + 4000, back)).toBe(true);
    expect(back).toEqual(bytes);
    expect(arch().writeGuest(m.d, 0x1000, bytes)).toBe(false);
    expect(arch().readGuest(m.d, (RAM + 64 * 256) * 4096 - 8, new Uint8Array(16))).toBe(false);
  });

  it("copies by virtual address of the vCPU, with the MMU off its physical one", () => {
    const address = BigInt(RAM * 4096 + 4090);
    expect(arch().copyToGuest(m.vcpu(0), address, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8))).toBe(true);
    const back = new Uint8Array(8);
    expect(arch().copyFromGuest(m.vcpu(0), address, back)).toBe(true);
    expect([...back]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(arch().copyFromGuest(m.vcpu(0), 0x1000n, back)).toBe(false);
    expect(arch().translateGuest(m.vcpu(0), address, "write")).toBe(Number(address));
  });

  it.each([0xffff_ffff_ffff_fffcn, 1n << 63n, 1n << 52n])("a pointer of 0x%x is a fault, not an accident", (va) => {
    expect(arch().copyFromGuest(m.vcpu(0), va, new Uint8Array(8))).toBe(false);
    expect(arch().copyToGuest(m.vcpu(0), va, new Uint8Array(8))).toBe(false);
  });

  it("is refused beyond what the domain may have, and beyond 4 GiB", () => {
    expect(arch().populate(m.d, 0x5_0000, 70 * 256)).toBe(-ERRNO.ENOMEM);
    expect(arch().populate(m.d, (1 << 20) - 1, 2)).toBe(-ERRNO.EINVAL);
  });

  it("is given to the frames that have none; the others keep theirs", () => {
    arch().guestPage(m.d, RAM + 255)![0] = 7;
    const before = m.arm(0).domain.p2m!.nextRamPage;
    expect(arch().populate(m.d, RAM + 64 * 256 - 2, 4)).toBe(0);
    expect(m.arm(0).domain.p2m!.nextRamPage - before).toBe(2);
    arch().guestPage(m.d, RAM + 64 * 256)![0] = 8;
    expect([RAM + 255, RAM + 64 * 256, RAM + 64 * 256 + 1].map((gfn) => arch().guestPage(m.d, gfn)![0])).toEqual([7, 8, 0]);
    expect(arch().populate(m.d, RAM, 0)).toBe(0);
    expect(arch().populate(m.d, 1 << 20, 0)).toBe(0);
  });

  it("what was given back is given out again, zeroed", () => {
    arch().guestPage(m.d, RAM)!.fill(0xff);
    expect(arch().unmapGfn(m.d, RAM)).toBe(0);
    expect([arch().guestPage(m.d, RAM), arch().unmapGfn(m.d, RAM)]).toEqual([undefined, -ERRNO.EINVAL]);
    expect(arch().populate(m.d, 0x6_0000, 1)).toBe(0);
    expect(
      arch()
        .guestPage(m.d, 0x6_0000)!
        .every((byte) => byte === 0),
    ).toBe(true);
  });
});

it("code in pages that were given back is forgotten once for all of them", () => {
  const forget = vi.spyOn(m.arm(0).domain.p2m!.processor, "invalidateCode");
  for (let page = 0; page < 100; page++) arch().unmapGfn(m.d, RAM + page);
  expect(arch().populate(m.d, RAM, 50)).toBe(0);
  expect(forget).toHaveBeenCalledTimes(1);
  arch().unmapGfn(m.d, RAM);
  expect(arch().populate(m.d, RAM, 51)).toBe(0);
  expect(forget).toHaveBeenCalledTimes(2);
});

describe("pages of the hypervisor", () => {
  it("are shown in place of RAM, which is given back", () => {
    const xenPage = arch().allocXenPage(m.d)!;
    xenPage.bytes[7] = 42;
    expect(arch().mapXenPage(m.d, xenPage.page, RAM + 1)).toBe(0);
    expect(arch().guestPage(m.d, RAM + 1)![7]).toBe(42);
    expect(m.arm(0).domain.p2m!.freed.length).toBe(1);
    expect(arch().unmapGfn(m.d, RAM + 1)).toBe(0);
    expect(m.arm(0).domain.p2m!.freed.length).toBe(1);
  });

  it("run out after shared info and the grant frames", () => {
    let pages = 0;
    while (arch().allocXenPage(m.d) !== undefined) pages++;
    // 65 in all; the domain builder took shared info and the first grant frame.
    expect(pages).toBe(63);
    expect(arch().mapXenPage(m.d, 65, RAM)).toBe(-ERRNO.EINVAL);
  });
});

it.each([
  ["more vCPUs than a GICv2 has", { gicVersion: 1 as const, vcpus: 9 }],
  ["more SPIs than there are", { nrSpis: 961 }],
])("createdomain refuses %s", (_, options) => expect(() => createMachine(options)).toThrow(`${-ERRNO.EINVAL}`));
