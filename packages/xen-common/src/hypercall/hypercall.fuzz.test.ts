import fc from "fast-check";
import { ERRNO, HYPERVISOR, MULTICALL_ENTRY, packStruct, readStruct } from "xen-public";
import { expect, test } from "vitest";
import { createBench } from "../testing.js";
import { doHypercall } from "./hypercall.js";

/** Numbers that calls care about, pointers into the guest's memory, and anything. */
const argument = fc.oneof(
  fc.bigInt({ min: 0n, max: 32n }),
  fc.constantFrom(0x1000n, 0x1ff8n, 0x3fffcn, 0x40000n, 0xffff_ffff_ffff_ffffn, 0x7ff0n, 1n << 48n),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
);
/** Guest memory that looks like small structures. */
const memory = fc.array(fc.oneof(fc.constantFrom(0, 1, 2, 3, 5, 0x10, 0x7f, 0xf0, 0xff), fc.nat(255)), { minLength: 64, maxLength: 64 });

test("whatever a guest calls with whatever arguments, the answer is a number and nothing throws", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.oneof(fc.constantFrom(...Object.values(HYPERVISOR)), fc.nat(100)), fc.array(argument, { minLength: 5, maxLength: 5 }), memory), {
        minLength: 1,
        maxLength: 20,
      }),
      (calls) => {
        const { xen, guest, runUntil, clock } = createBench();
        const d = guest({ vcpus: 2 });
        guest();
        for (const [nr, args, bytes] of calls) {
          xen.arch.writeGuest(d, 0x1000, Uint8Array.from(bytes));
          const result = doHypercall(d.vcpus[0]!, nr, args);
          expect(Number.isSafeInteger(result)).toBe(true);
          runUntil(clock.time + 3e6);
        }
        expect(xen.domains.get(2)!.shutdownState).toBe("none");
        xen.domctl.destroyDomain(1);
        runUntil(clock.time + 3e6);
      },
    ),
    { numRuns: 150 },
  );
});

test.each([
  ["multicall", HYPERVISOR.multicall, [0n, 0xffff_ffffn]],
  ["grant_table_op", HYPERVISOR.grant_table_op, [1n, 0n, 0x7fff_ffffn]],
  ["console_io", HYPERVISOR.console_io, [0n, 0x7fff_ffffn, 0n]],
])("a %s that would go on for hours is cut off", (_, nr, args) => {
  const { guest } = createBench();
  const d = guest({ pages: 2048 });
  expect(doHypercall(d.vcpus[0]!, nr, args)).toBe(-ERRNO.E2BIG);
});

test("a multicall that calls itself is refused", () => {
  const { xen, guest } = createBench();
  const d = guest();
  xen.arch.writeGuest(d, 0, packStruct(MULTICALL_ENTRY, { op: BigInt(HYPERVISOR.multicall), arg0: 0n, arg1: 1n }));
  expect(doHypercall(d.vcpus[0]!, HYPERVISOR.multicall, [0n, 1n])).toBe(0);
  const bytes = new Uint8Array(MULTICALL_ENTRY.size);
  xen.arch.readGuest(d, 0, bytes);
  expect(BigInt.asIntN(64, readStruct(MULTICALL_ENTRY, bytes).result)).toBe(BigInt(-ERRNO.EINVAL));
});
