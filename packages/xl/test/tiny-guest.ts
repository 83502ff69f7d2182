import { writeFileSync } from "node:fs";

const UART = 0x2200_0000;
const SYSTEM_OFF = 0x8400_0008;
const SYSTEM_SUSPEND = 0xc400_000e;

/** A line of a guest: a word, or one that needs to know where it is. */
type Line = number | { readonly label: string } | ((here: number, at: (label: string) => number) => number) | { readonly text: string };

const branch =
  (opcode: number, label: string): Line =>
  (here, at) =>
    (opcode | (((at(label) - here) >> 2) & 0x03ff_ffff)) >>> 0;
/** CBZ and TBNZ of w0 or w1: the offset sits at bit 5. */
const test =
  (opcode: number, label: string, mask: number): Line =>
  (here, at) =>
    (opcode | ((((at(label) - here) >> 2) & mask) << 5)) >>> 0;
const adr =
  (register: number, label: string): Line =>
  (here, at) => {
    const offset = at(label) - here;
    return (0x1000_0000 | ((offset & 3) << 29) | (((offset >> 2) & 0x7_ffff) << 5) | register) >>> 0;
  };
/** MOVZ and MOVK of a 32-bit value. */
const mov = (register: number, value: number): Line[] => [
  (0xd280_0000 | ((value & 0xffff) << 5) | register) >>> 0,
  (0xf2a0_0000 | ((value >>> 16) << 5) | register) >>> 0,
];
const HVC = 0xd400_0002;
const RET = 0xd65f_03c0;
/** str w0, [x19] */
const PUT = 0xb900_0260;
/** ldr w0, [x19] */
const GET = 0xb940_0260;

const PRINT: Line[] = [
  { label: "print" },
  // ldrb w0, [x20], #1
  0x3840_1680,
  test(0x3400_0000, "printed", 0x7_ffff),
  PUT,
  branch(0x1400_0000, "print"),
  { label: "printed" },
  RET,
];
const print = (label: string): Line[] => [adr(20, label), branch(0x9400_0000, "print")];
const stop: Line[] = [{ label: "stop" }, ...mov(0, SYSTEM_OFF), HVC, branch(0x1400_0000, "stop")];

/** Prints, suspends itself with the context id "R", prints that and more when it is resumed, and powers off. */
export const SUSPENDING_GUEST: Line[] = [
  ...mov(19, UART),
  ...print("hello"),
  ...mov(0, SYSTEM_SUSPEND),
  adr(1, "resume"),
  ...mov(2, "R".charCodeAt(0)),
  HVC,
  ...print("denied"),
  branch(0x1400_0000, "stop"),
  { label: "resume" },
  ...mov(19, UART),
  PUT,
  ...print("back"),
  ...stop,
  ...PRINT,
  { label: "hello" },
  { text: "hello from EL1\n" },
  { label: "denied" },
  { text: "denied\n" },
  { label: "back" },
  { text: "esumed\n" },
];

/** Says what is typed, until a "q". */
export const ECHO_GUEST: Line[] = [
  ...mov(19, UART),
  ...print("ready"),
  { label: "wait" },
  // ldr w1, [x19, #0x18]: UARTFR, bit 4 is RXFE.
  0xb940_1a61,
  test(0x3720_0001, "wait", 0x3fff),
  GET,
  PUT,
  // cmp w0, #'q'
  0x7100_001f | ("q".charCodeAt(0) << 10),
  // b.ne wait
  test(0x5400_0001, "wait", 0x7_ffff),
  ...stop,
  ...PRINT,
  { label: "ready" },
  { text: "ready\n" },
];

/** Never ends. */
export const SPINNING_GUEST: Line[] = [{ label: "again" }, branch(0x1400_0000, "again")];

const HEADER_BYTES = 64;

/** Writes a guest as an arm64 Linux Image that is entered behind its header. */
export function writeImage(path: string, lines: readonly Line[]): void {
  const labels = new Map<string, number>();
  let end = HEADER_BYTES;
  for (const line of lines) {
    if (typeof line === "object" && "label" in line) labels.set(line.label, end);
    else end += typeof line === "object" ? (line.text.length + 4) & ~3 : 4;
  }
  const at = (label: string): number => labels.get(label) as number;
  const image = Buffer.alloc(end);
  image.writeUInt32LE(0x1400_0000 | (HEADER_BYTES >> 2), 0);
  image.writeBigUInt64LE(BigInt(end), 16);
  image.write("ARM\x64", 0x38, "latin1");
  let here = HEADER_BYTES;
  for (const line of lines) {
    if (typeof line === "number" || typeof line === "function") {
      image.writeUInt32LE(typeof line === "number" ? line >>> 0 : line(here, at), here);
      here += 4;
    } else if ("text" in line) {
      image.write(line.text, here, "latin1");
      here += (line.text.length + 4) & ~3;
    }
  }
  writeFileSync(path, image);
}
