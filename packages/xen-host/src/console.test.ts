import { describe, expect, it } from "vitest";
import { createConsole } from "./console.js";
import { createConsoleHistory } from "./console-history.js";
import { readRing, writeRing } from "./console-ring.js";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (s: string): Uint8Array => new TextEncoder().encode(s);

/** What a guest's hvc driver does at its end of the ring. */
function guestPut(page: Uint8Array, s: string): void {
  const words = new DataView(page.buffer);
  let prod = words.getUint32(3084, true);
  for (const byte of bytes(s)) page[1024 + (prod++ & 2047)] = byte;
  words.setUint32(3084, prod >>> 0, true);
}
function guestGet(page: Uint8Array): string {
  const words = new DataView(page.buffer);
  let cons = words.getUint32(3072, true);
  const out: number[] = [];
  for (; cons !== words.getUint32(3076, true); cons = (cons + 1) >>> 0) out.push(page[cons & 1023] as number);
  words.setUint32(3072, cons, true);
  return text(Uint8Array.from(out));
}

describe("PV console ring", () => {
  it("carries text in both directions across the end of the ring and of the 32-bit indexes", () => {
    const page = new Uint8Array(4096);
    const words = new DataView(page.buffer);
    for (const index of [3072, 3076, 3080, 3084]) words.setUint32(index, 0xffff_fff0, true);
    guestPut(page, "hello from the guest, over the edge");
    expect(text(readRing(page))).toBe("hello from the guest, over the edge");
    expect(readRing(page)).toHaveLength(0);
    expect(writeRing(page, bytes("and hello from the host too"))).toBe(27);
    expect(guestGet(page)).toBe("and hello from the host too");
  });

  it("takes only as much input as the guest has room for", () => {
    const page = new Uint8Array(4096);
    expect(writeRing(page, new Uint8Array(3000).fill(65))).toBe(1024);
    expect(writeRing(page, bytes("x"))).toBe(0);
    guestGet(page);
    expect(writeRing(page, bytes("x"))).toBe(1);
  });

  it("survives indexes that make no sense", () => {
    const page = new Uint8Array(4096).fill(0xff);
    new DataView(page.buffer).setUint32(3080, 5, true);
    new DataView(page.buffer).setUint32(3072, 5, true);
    expect(readRing(page)).toHaveLength(0);
    expect(writeRing(page, bytes("x"))).toBe(0);
  });
});

describe("console history", () => {
  it.each([
    ["keeps everything below the limit", 100, ["abc", "def"], "abcdef"],
    ["drops the oldest bytes and says how many", 4, ["abc", "def"], "[2 bytes of older output were dropped]\r\ncdef"],
    ["takes one piece larger than itself", 4, ["abcdefgh"], "[4 bytes of older output were dropped]\r\nefgh"],
    ["goes on after that", 4, ["abcdefgh", "i"], "[5 bytes of older output were dropped]\r\nfghi"],
  ])("%s", (_title, limit, pieces, expected) => {
    const history = createConsoleHistory(limit);
    for (const piece of pieces) history.append(bytes(piece));
    expect(text(history.replay())).toBe(expected);
  });

  it("grows to its limit and wraps there", () => {
    const history = createConsoleHistory(10_000);
    for (let i = 0; i < 3000; i++) history.append(bytes(`${String(i).padStart(4, "0")}\n`));
    expect(text(history.replay())).toBe(
      `[5000 bytes of older output were dropped]\r\n${Array.from({ length: 2000 }, (_, i) => `${String(i + 1000).padStart(4, "0")}\n`).join("")}`,
    );
  });
});

describe("console", () => {
  function setUp() {
    const page = new Uint8Array(4096);
    const console = createConsole({ read: () => readRing(page), write: (input) => writeRing(page, input) });
    const read = (stream: ReturnType<typeof console.open>): { text: string } => {
      const seen = { text: "" };
      stream.onOutput((chunk) => (seen.text += text(chunk)));
      return seen;
    };
    return { page, console, read };
  }

  it("replays from the first byte to every reader, then goes on live", async () => {
    const { page, console, read } = setUp();
    guestPut(page, "boot\n");
    console.pump();
    const first = read(console.open());
    guestPut(page, "login: ");
    console.pump();
    const second = read(console.open());
    guestPut(page, "root\n");
    console.pump();
    await Promise.resolve();
    expect([first.text, second.text]).toEqual(["boot\nlogin: root\n", "boot\nlogin: root\n"]);
  });

  it("lets one reader type and tells the others", async () => {
    const { page, console } = setUp();
    const [one, two] = [console.open(), console.open()];
    await one.write(bytes("ls\n"));
    await expect(two.write(bytes("rm\n"))).rejects.toMatchObject({ errno: 16 });
    one.close();
    await two.write(bytes("pwd\n"));
    expect(guestGet(page)).toBe("ls\npwd\n");
  });

  it("waits with input until the guest has made room", async () => {
    const { page, console } = setUp();
    const stream = console.open();
    let isDone = false;
    const writing = stream.write(new Uint8Array(1500).fill(66)).then(() => (isDone = true));
    await Promise.resolve();
    expect(isDone).toBe(false);
    expect(guestGet(page)).toHaveLength(1024);
    console.pump();
    await writing;
    expect(guestGet(page)).toHaveLength(476);
  });

  it("delivers the last words and closes when the domain goes", async () => {
    const { page, console, read } = setUp();
    const stream = console.open();
    const seen = read(stream);
    const stuck = stream.write(new Uint8Array(2000));
    guestPut(page, "Power down\n");
    console.end();
    await stream.closed;
    await expect(stuck).rejects.toMatchObject({ errno: 32 });
    await expect(stream.write(bytes("x"))).rejects.toMatchObject({ errno: 32 });
    expect(seen.text).toBe("Power down\n");
    const late = read(console.open());
    expect(late.text).toBe("Power down\n");
  });
});
