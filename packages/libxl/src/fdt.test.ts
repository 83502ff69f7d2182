import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cells, EMPTY, type FdtNode, readFdt, strings, u64s, writeFdt } from "./fdt.js";

const hasDtc = spawnSync("dtc", ["--version"]).status === 0;

const tree: FdtNode = {
  name: "",
  properties: [
    ["compatible", strings("a,b", "c")],
    ["flag", EMPTY],
  ],
  children: [{ name: "child@1", properties: [["reg", u64s(0x2_0000_0001, 0x1000)]], children: [] }],
};

describe("flattened device trees", () => {
  it("begin with the header of version 17 and an empty reservation block", () => {
    const view = new DataView(writeFdt(tree).buffer);
    expect([view.getUint32(0), view.getUint32(20), view.getUint32(24)]).toEqual([0xd00dfeed, 17, 16]);
    expect(view.getUint32(4)).toBe(view.byteLength);
    const reservations = view.getUint32(16);
    expect([view.getBigUint64(reservations), view.getBigUint64(reservations + 8)]).toEqual([0n, 0n]);
  });

  it("put 64-bit values into two cells", () => {
    expect(u64s(0x2_0000_0001)).toEqual(cells(2, 1));
  });

  it("are read back as they were", () => {
    const { node } = fc.letrec<{ node: FdtNode }>((tie) => ({
      node: fc.record({
        name: fc.stringMatching(/^[a-z][a-z0-9]{0,6}$/),
        properties: fc.array(fc.tuple(fc.stringMatching(/^[a-z#,-]{1,8}$/), fc.uint8Array({ maxLength: 9 }))),
        children: fc.oneof({ depthSize: "small" }, fc.constant([]), fc.array(tie("node"), { maxLength: 3 })),
      }),
    }));
    fc.assert(
      fc.property(node, (any) => {
        expect(readFdt(writeFdt(any))).toEqual(any);
      }),
    );
  });

  it.skipIf(!hasDtc)("are taken by dtc (skipped where device-tree-compiler is not installed)", () => {
    const { status, stdout, stderr } = spawnSync("dtc", ["-I", "dtb", "-O", "dts", "-q"], { input: writeFdt(tree) });
    expect([status, stderr.toString()]).toEqual([0, ""]);
    expect(stdout.toString()).toContain("reg = <0x02 0x01 0x00 0x1000>;");
  });

  it.each([
    ["nothing", new Uint8Array(64)],
    ["another version", writeFdt(tree).fill(16, 23, 24)],
  ])("are told from %s", (_, bytes) => {
    expect(() => readFdt(bytes)).toThrow(RangeError);
  });
});
