import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as abi from "./index.js";

const { packStruct, readStruct, writeStruct } = abi;
const layouts = (Object.entries(abi) as [string, unknown][]).filter(
  (entry): entry is [string, abi.Layout] => typeof entry[1] === "object" && entry[1] !== null && "fields" in entry[1],
);

describe("structures", () => {
  test.each(layouts)("%s: fields are aligned, do not overlap and lie inside", (_, { size, fields }) => {
    let end = 0;
    for (const [offset, kind] of Object.values(fields).toSorted((a, b) => a[0] - b[0])) {
      const bytes = Number(/\d+/.exec(kind)![0]) / 8;
      expect(offset % bytes).toBe(0);
      expect(offset).toBeGreaterThanOrEqual(end);
      end = offset + bytes;
    }
    expect(end).toBeLessThanOrEqual(size);
  });

  test.each(layouts)("%s: what is written is read, and other bytes are left alone", (_, layout) => {
    const values = fc.record(Object.fromEntries(Object.entries(layout.fields).map(([name, [, kind]]) => [name, arbitrary(kind)])));
    fc.assert(
      fc.property(values, (expected) => {
        const bytes = new Uint8Array(layout.size + 2).fill(0xa5);
        writeStruct(layout, bytes, expected as never, 1);
        expect(readStruct(layout, bytes, 1)).toEqual(expected);
        expect([bytes[0], bytes.at(-1)]).toEqual([0xa5, 0xa5]);
      }),
      { numRuns: 20 },
    );
  });

  test("sizes are those of the C structures", () => {
    const sizes = Object.fromEntries(layouts.map(([name, { size }]) => [name, size]));
    expect(sizes).toMatchObject({
      XEN_ADD_TO_PHYSMAP: 24,
      XEN_ADD_TO_PHYSMAP_BATCH: 32,
      XEN_MEMORY_RESERVATION: 32,
      EVTCHN_BIND_INTERDOMAIN: 12,
      EVTCHN_STATUS: 24,
      EVTCHN_INIT_CONTROL: 24,
      VCPU_INFO: 48,
      VCPU_RUNSTATE_INFO: 48,
      GNTTAB_MAP_GRANT_REF: 32,
      GNTTAB_COPY: 40,
      XEN_HVM_PARAM: 16,
      SCHED_POLL: 24,
      MULTICALL_ENTRY: 64,
    });
  });
});

function arbitrary(kind: abi.FieldKind): fc.Arbitrary<number | bigint> {
  const bits = Number(/\d+/.exec(kind)![0]);
  if (bits === 64) return fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
  return kind.startsWith("i") ? fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 }) : fc.nat({ max: 2 ** bits - 1 });
}

test("errors have their names, whatever the sign", () => {
  expect([abi.errnoName(3), abi.errnoName(-22), abi.errnoName(999)]).toEqual(["ESRCH", "EINVAL", "E999"]);
});

test("vCPU ids and affinities are each other's inverse, 16 to a cluster", () => {
  expect([abi.vcpuidToVaffinity(15), abi.vcpuidToVaffinity(16), abi.vcpuidToVaffinity(127)]).toEqual([15, 0x100, 0x70f]);
  for (let id = 0; id < abi.MAX_VIRT_CPUS; id++) expect(abi.vaffinityToVcpuid(abi.vcpuidToVaffinity(id))).toBe(id);
});

test("the regions of the guest's memory map do not overlap, except the two GICs", () => {
  const names = Object.keys(abi.GUEST) as (keyof typeof abi.GUEST)[];
  const regions = names
    .filter((name) => (name.endsWith("_BASE") || name.endsWith("_ADDR")) && !/^GIC[DC]_/.test(name))
    .map((name) => ({ base: abi.GUEST[name], size: abi.GUEST[name.replace(/_(BASE|ADDR)$/, "_SIZE") as keyof typeof abi.GUEST] }))
    .toSorted((a, b) => a.base - b.base);
  for (const [i, { base, size }] of regions.slice(0, -1).entries()) expect(base + size).toBeLessThanOrEqual(regions[i + 1]!.base);
  expect(regions.length).toBeGreaterThanOrEqual(12);
});

test("the example of the README packs and reads a structure", () => {
  const bytes = packStruct(abi.SCHED_SHUTDOWN, { reason: abi.SHUTDOWN.suspend });
  expect([...bytes]).toEqual([2, 0, 0, 0]);
  expect(readStruct(abi.SCHED_SHUTDOWN, bytes).reason === abi.SHUTDOWN.suspend).toBe(true);
  expect(abi.GUEST.RAM0_BASE.toString(16)).toBe("40000000");
});
