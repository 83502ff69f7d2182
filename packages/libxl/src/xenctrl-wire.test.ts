import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeConsole, decodeValue, encodeConsole, encodeFrame, encodeValue, FRAME, FrameDecoder, MAX_PAYLOAD, WireError } from "./xenctrl-wire.js";

function join(pieces: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(pieces.flatMap((piece) => [...piece]));
}

describe("frames", () => {
  it("come back whole however the stream is cut", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 })), fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (payloads, cuts) => {
        const stream = join(payloads.flatMap((payload, index) => encodeFrame(index % 3, [payload])));
        const decoder = new FrameDecoder();
        const seen: { type: number; payload: number[] }[] = [];
        for (let at = 0, cut = 0; at < stream.length; cut++) {
          const end = at + (cuts[cut % cuts.length] as number);
          for (const { type, payload } of decoder.push(stream.subarray(at, end))) seen.push({ type, payload: [...payload] });
          at = end;
        }
        expect(seen).toEqual(payloads.map((payload, index) => ({ type: index % 3, payload: [...payload] })));
      }),
    );
  });

  it("are refused above the limit, by the sender and by the receiver before anything is kept", () => {
    expect(() => encodeFrame(FRAME.rpc, [new Uint8Array(MAX_PAYLOAD + 1)])).toThrow(WireError);
    const header = Uint8Array.of(0xff, 0xff, 0xff, 0xff, FRAME.rpc);
    expect(() => [...new FrameDecoder().push(header)]).toThrow(WireError);
  });
});

describe("values", () => {
  it.each([
    ["plain data", { a: [1, "x", null, true], b: {} }],
    ["bigints", { pc: 0xffff_ffff_ffff_ffffn, x: [0n, -1n] }],
    ["bytes", { handle: Uint8Array.of(1, 2, 3), more: [new Uint8Array(), Uint8Array.of(255)] }],
  ])("carry %s", (_title, value) => {
    expect(decodeValue(join(encodeValue(value)))).toEqual(value);
  });

  it("carry a Buffer as bytes", () => {
    expect(decodeValue(join(encodeValue([Buffer.from("abc")])))).toEqual([Uint8Array.of(97, 98, 99)]);
  });

  it.each([
    ["nothing", []],
    ["a length behind the end", [9, 0, 0, 0, 0x31]],
    ["no JSON", [2, 0, 0, 0, 0x7b, 0x7b]],
    ["no UTF-8", [2, 0, 0, 0, 0xff, 0xfe]],
    ["bytes that were not sent", [...encodeText('{"$bytes":[0,1]}')]],
    ["bytes from before the start", [...encodeText('{"$bytes":[-1,1]}')]],
    ["a fraction as a bigint", [...encodeText('{"$int":"1.5"}')]],
    ["a bigint without end", [...encodeText(`{"$int":"${"9".repeat(100)}"}`)]],
    ["nesting without end", [...encodeText("[".repeat(500_000) + "]".repeat(500_000))]],
  ])("refuse %s", (_title, bytes) => {
    expect(() => decodeValue(Uint8Array.from(bytes))).toThrow(WireError);
  });

  it("never throw anything but WireError for random bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          decodeValue(bytes);
          decodeConsole(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
    );
  });
});

it("console output names its stream", () => {
  expect(decodeConsole(join(encodeConsole(7, Uint8Array.of(65))))).toEqual({ stream: 7, bytes: Uint8Array.of(65) });
});

function encodeText(text: string): Uint8Array {
  const json = new TextEncoder().encode(text);
  const head = new Uint8Array(4);
  new DataView(head.buffer).setUint32(0, json.length, true);
  return join([head, json]);
}
