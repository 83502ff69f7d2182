import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { formatPermission, parsePermission } from "./permissions.js";
import {
  bytesToText,
  encodeMessage,
  messageTypeName,
  packStrings,
  textToBytes,
  unpackStrings,
  type XsMessage,
  XsMessageReader,
  XsProtocolError,
} from "./wire.js";

const word = fc.nat(0xffff_ffff);
const message: fc.Arbitrary<XsMessage> = fc.record({ type: word, reqId: word, txId: word, payload: fc.uint8Array({ maxLength: 200 }) });

test("a header is four little-endian words: type, request, transaction, length", () => {
  const bytes = encodeMessage({ type: 2, reqId: 0x01020304, txId: 5, payload: textToBytes("/a\0") });
  expect([...bytes]).toEqual([2, 0, 0, 0, 4, 3, 2, 1, 5, 0, 0, 0, 3, 0, 0, 0, 47, 97, 0]);
});

test("messages come out as they went in, however the stream is cut", () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 5 }), fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (messages, sizes) => {
      const stream = messages.flatMap((one) => [...encodeMessage(one)]);
      const reader = new XsMessageReader();
      const read: XsMessage[] = [];
      for (let at = 0, turn = 0; at < stream.length; turn++) {
        const size = sizes[turn % sizes.length] as number;
        read.push(...reader.read(Uint8Array.from(stream.slice(at, at + size))));
        at += size;
      }
      expect(read).toEqual(messages);
      expect(reader.isInside).toBe(false);
    }),
  );
});

test("`wanted` never reaches into the next message", () => {
  const reader = new XsMessageReader();
  const bytes = encodeMessage({ type: 1, reqId: 1, txId: 0, payload: textToBytes("abc") });
  expect(reader.wanted).toBe(16);
  expect([...reader.read(bytes.subarray(0, 17))]).toEqual([]);
  expect([reader.wanted, reader.isInside]).toEqual([2, true]);
  reader.reset();
  expect([reader.wanted, reader.isInside]).toEqual([16, false]);
});

test("a payload of 4096 bytes is read, one of 4097 is an error", () => {
  const long = (length: number): Uint8Array => encodeMessage({ type: 1, reqId: 1, txId: 0, payload: new Uint8Array(length) });
  expect([...new XsMessageReader().read(long(4096))][0]?.payload.length).toBe(4096);
  expect(() => [...new XsMessageReader().read(long(4097))]).toThrow(XsProtocolError);
});

test("text keeps every byte", () => {
  const bytes = Uint8Array.from({ length: 5000 }, (_, index) => index % 256);
  expect(textToBytes(bytesToText(bytes))).toEqual(bytes);
});

test("strings each have their NUL; what is behind the last one is a string too", () => {
  expect(bytesToText(packStrings("a", "", "b"))).toBe("a\0\0b\0");
  expect(unpackStrings(textToBytes("a\0\0b\0"))).toEqual(["a", "", "b"]);
  expect(unpackStrings(textToBytes("a\0b"))).toEqual(["a", "b"]);
  expect(unpackStrings(new Uint8Array(0))).toEqual([]);
});

test("types have names", () => {
  expect([0, 2, 22, 20].map(messageTypeName)).toEqual(["CONTROL", "READ", "DIRECTORY_PART", "type 20"]);
});

describe.each([
  ["n0", { access: "n", domid: 0 }],
  ["b65535", { access: "b", domid: 65535 }],
  ["r32757", { access: "r", domid: 32757 }],
] as const)("the permission %s", (text, permission) => {
  it("is parsed and formatted", () => {
    expect(parsePermission(text)).toEqual(permission);
    expect(formatPermission(permission)).toBe(text);
  });
});

test.each(["", "n", "x1", "n-1", "n65536", "N1", "n1 ", "rw1"])("%j is no permission", (text) => {
  expect(parsePermission(text)).toBeUndefined();
});
