import { beforeEach, describe, expect, it } from "vitest";
import type { MmioDevice } from "./io.js";
import { createVpl011, FR, UART_INT, type Vpl011, vpl011Device } from "./vpl011.js";

const DR = 0x00;
const UARTFR = 0x18;
const IMSC = 0x38;
const RIS = 0x3c;
const MIS = 0x40;
const ICR = 0x44;

let uart: Vpl011;
let device: MmioDevice<unknown>;
let line: boolean;

beforeEach(() => {
  line = false;
  uart = createVpl011((isHigh) => void (line = isHigh));
  device = vpl011Device(uart);
});

const read = (offset: number, bytes = 4) => device.read(undefined, offset, bytes);
const write = (offset: number, value: number, bytes = 4) => device.write(undefined, offset, bytes, value, 0);
const text = (bytes: Uint8Array) => String.fromCharCode(...bytes);
const type = (s: string) => uart.writeInput(Uint8Array.from(s, (c) => c.charCodeAt(0)));

it.each([
  ["FR: both queues empty", UARTFR, FR.TXFE | FR.RXFE],
  ["DR: nothing to read", DR, 0],
  ["RSR", 0x04, 0],
  ["an offset without a register", 0xfe0, 0],
])("at reset, %s", (_, offset, expected) => expect(read(offset)).toBe(expected));

it.each([1, 2, 4])("takes accesses of %i bytes", (bytes) => {
  expect(write(DR, 0x41, bytes)).toBe(true);
  expect(read(UARTFR, bytes)).toBe(FR.RXFE);
});

it.each<[string, () => unknown, unknown]>([
  ["a 64-bit read", () => read(UARTFR, 8), undefined],
  ["a 64-bit write", () => write(DR, 0, 8), false],
  ["reading ICR", () => read(ICR), undefined],
])("aborts: %s", (_, act, expected) => expect(act()).toBe(expected));

describe("output", () => {
  it("reaches the console daemon", () => {
    const seen: string[] = [];
    uart.onOutput = () => void seen.push(text(uart.readOutput()));
    for (const c of "ok\n") write(DR, c.charCodeAt(0));
    expect(seen).toEqual(["o", "k", "\n"]);
    expect(read(UARTFR)).toBe(FR.TXFE | FR.RXFE);
  });

  it("says when it is full, drops what comes then, and goes on after it was read", () => {
    for (let i = 0; i < 2050; i++) write(DR, i);
    expect(read(UARTFR)).toBe(FR.TXFF | FR.BUSY | FR.RXFE);
    expect((read(RIS) as number) & UART_INT.TX).toBe(0);
    expect(uart.readOutput().length).toBe(2048);
    expect(read(UARTFR)).toBe(FR.TXFE | FR.RXFE);
    expect((read(RIS) as number) & UART_INT.TX).toBe(UART_INT.TX);
  });
});

describe("input", () => {
  it("is read byte by byte, and raises the receive timeout", () => {
    write(IMSC, UART_INT.RT);
    expect(type("hi")).toBe(2);
    expect([line, read(MIS), read(UARTFR)]).toEqual([true, UART_INT.RT, FR.TXFE]);
    expect([read(DR), line, read(DR), line]).toEqual([0x68, true, 0x69, false]);
    expect(read(UARTFR)).toBe(FR.TXFE | FR.RXFE);
  });

  it("takes 1024 bytes and no more", () => {
    expect(uart.writeInput(new Uint8Array(1030))).toBe(1024);
    expect([read(UARTFR), (read(RIS) as number) & UART_INT.RX]).toEqual([FR.TXFE | FR.RXFF, UART_INT.RX]);
  });
});

it("ICR clears, IMSC masks", () => {
  type("x");
  expect(line).toBe(false);
  write(IMSC, 0xffff_ffff);
  expect([read(IMSC), line]).toEqual([0x70, true]);
  write(ICR, UART_INT.RT);
  expect([read(RIS), line]).toEqual([0, false]);
});

it("is the same after save and load", () => {
  type("abc");
  write(DR, 0x21);
  write(IMSC, UART_INT.RT);
  const copy = createVpl011(() => {});
  copy.load(uart.save());
  expect(copy.save()).toEqual(uart.save());
  expect(text(copy.readOutput())).toBe("!");
});
