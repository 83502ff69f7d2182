import { GUEST } from "xen-public";
import { createRegisterFile, type MmioDevice, type MmioRegister } from "./io.js";

/** UARTFR bits. */
export const FR = { BUSY: 0x08, RXFE: 0x10, TXFF: 0x20, RXFF: 0x40, TXFE: 0x80 } as const;
/** Interrupt bits of UARTIMSC, UARTRIS, UARTMIS and UARTICR. */
export const UART_INT = { RX: 0x10, TX: 0x20, RT: 0x40 } as const;

const INTERRUPTS = UART_INT.RX | UART_INT.TX | UART_INT.RT;
/** Sizes of the rings toward the console daemon, as in xencons_interface. */
const IN_SIZE = 1024;
const OUT_SIZE = 2048;
/** Half of the FIFO that an SBSA UART has: so much room left raises the receive interrupt, and so much room allows the transmit one. */
const TRIGGER = 16;

/** A queue of bytes with a limit. */
interface ByteRing {
  readonly bytes: Uint8Array;
  head: number;
  length: number;
}

/** The guest's SBSA UART and the console daemon's side of it. */
export interface Vpl011 {
  /** Called when output waits to be read. */
  onOutput: (() => void) | undefined;
  /** Takes all the output that waits. */
  readOutput(): Uint8Array;
  /** Types into the guest; returns how many bytes fitted. */
  writeInput(bytes: Uint8Array): number;
  readonly state: Vpl011State;
  save(): Vpl011Record;
  load(record: Vpl011Record): void;
}

interface Vpl011State {
  readonly rx: ByteRing;
  readonly tx: ByteRing;
  fr: number;
  ris: number;
  imsc: number;
  readonly setLine: (isHigh: boolean) => void;
  readonly outputWaits: () => void;
}

/** Plain data of the UART; `rx` and `tx` are the bytes that wait. */
export interface Vpl011Record {
  readonly version: 1;
  readonly fr: number;
  readonly ris: number;
  readonly imsc: number;
  readonly rx: readonly number[];
  readonly tx: readonly number[];
}

const createRing = (size: number): ByteRing => ({ bytes: new Uint8Array(size), head: 0, length: 0 });

function push(ring: ByteRing, byte: number): boolean {
  if (ring.length === ring.bytes.length) return false;
  ring.bytes[(ring.head + ring.length++) % ring.bytes.length] = byte;
  return true;
}

function shift(ring: ByteRing): number {
  if (ring.length === 0) return 0;
  const byte = ring.bytes[ring.head]!;
  ring.head = (ring.head + 1) % ring.bytes.length;
  ring.length--;
  return byte;
}

const peekAll = (ring: ByteRing): number[] => Array.from({ length: ring.length }, (_, i) => ring.bytes[(ring.head + i) % ring.bytes.length]!);

function assign(bits: number, mask: number, isSet: boolean): number {
  return isSet ? bits | mask : bits & ~mask;
}

/** Flags and raw interrupts after the output queue changed. */
function updateTx(s: Vpl011State): void {
  const { length } = s.tx;
  s.fr = assign(s.fr, FR.TXFF | FR.BUSY, length === OUT_SIZE);
  s.fr = assign(s.fr, FR.TXFE, length === 0);
  s.ris = assign(s.ris, UART_INT.TX, OUT_SIZE - length >= TRIGGER);
  updateLine(s);
}

/** Data came in. */
function raiseRx(s: Vpl011State): void {
  const { length } = s.rx;
  s.fr = assign(s.fr, FR.RXFE, length === 0);
  s.fr = assign(s.fr, FR.RXFF, length === IN_SIZE);
  if (length > 0) s.ris |= UART_INT.RT;
  if (length >= IN_SIZE - TRIGGER) s.ris |= UART_INT.RX;
  updateLine(s);
}

function updateLine(s: Vpl011State): void {
  s.setLine((s.ris & s.imsc) !== 0);
}

function writeData(s: Vpl011State, value: number): void {
  push(s.tx, value & 0xff);
  updateTx(s);
  s.outputWaits();
}

/** DR read: 0 when nothing is there. What the guest cleared through ICR stays clear. */
function readData(s: Vpl011State): number {
  const byte = shift(s.rx);
  if (s.rx.length === 0) s.ris &= ~UART_INT.RT;
  if (s.rx.length < IN_SIZE - TRIGGER) s.ris &= ~UART_INT.RX;
  s.fr = assign(s.fr & ~FR.RXFF, FR.RXFE, s.rx.length === 0);
  updateLine(s);
  return byte;
}

const ANY = 1 | 2 | 4;
const REGISTERS: readonly MmioRegister<Vpl011State>[] = [
  { name: "DR", first: 0x00, widths: ANY, read: readData, write: (s, _, value) => writeData(s, value) },
  { name: "RSR", first: 0x04, widths: ANY },
  { name: "FR", first: 0x18, widths: ANY, read: (s) => s.fr },
  {
    name: "IMSC",
    first: 0x38,
    widths: ANY,
    read: (s) => s.imsc,
    write: (s, _, value) => {
      s.imsc = value & INTERRUPTS;
      updateLine(s);
    },
  },
  { name: "RIS", first: 0x3c, widths: ANY, read: (s) => s.ris },
  { name: "MIS", first: 0x40, widths: ANY, read: (s) => s.ris & s.imsc },
  {
    name: "ICR",
    first: 0x44,
    widths: ANY,
    read: undefined,
    write: (s, _, value) => {
      s.ris &= ~(value & INTERRUPTS);
      updateLine(s);
    },
  },
];
const registers = createRegisterFile(GUEST.PL011_SIZE, REGISTERS);

/** A UART at reset; `setLine` drives its SPI. */
export function createVpl011(setLine: (isHigh: boolean) => void): Vpl011 {
  const uart: Vpl011 = {
    onOutput: undefined,
    state: {
      rx: createRing(IN_SIZE),
      tx: createRing(OUT_SIZE),
      fr: FR.TXFE | FR.RXFE,
      ris: 0,
      imsc: 0,
      setLine,
      outputWaits: () => uart.onOutput?.(),
    },
    readOutput() {
      const { tx } = uart.state;
      if (tx.length === 0) return new Uint8Array();
      const output = Uint8Array.from(peekAll(tx));
      tx.length = 0;
      updateTx(uart.state);
      return output;
    },
    writeInput(bytes) {
      let taken = 0;
      while (taken < bytes.length && push(uart.state.rx, bytes[taken]!)) taken++;
      if (taken > 0) raiseRx(uart.state);
      return taken;
    },
    save() {
      const { fr, ris, imsc, rx, tx } = uart.state;
      return { version: 1, fr, ris, imsc, rx: peekAll(rx), tx: peekAll(tx) };
    },
    load(record) {
      const s = uart.state;
      for (const [ring, bytes] of [
        [s.rx, record.rx],
        [s.tx, record.tx],
      ] as const) {
        ring.head = 0;
        ring.length = bytes.length;
        ring.bytes.set(bytes);
      }
      s.fr = record.fr;
      s.ris = record.ris;
      s.imsc = record.imsc;
      updateLine(s);
    },
  };
  return uart;
}

/** The UART as a device: 8, 16 and 32-bit accesses; reading ICR or 64 bits aborts. Xen counts none of them. */
export function vpl011Device(uart: Vpl011): MmioDevice<unknown> {
  return {
    base: GUEST.PL011_BASE,
    size: GUEST.PL011_SIZE,
    read: (_, offset, bytes) => (bytes === 8 ? undefined : registers.read(uart.state, offset, bytes)),
    write: (_, offset, bytes, value, high) => bytes !== 8 && registers.write(uart.state, offset, bytes, value, high),
  };
}
