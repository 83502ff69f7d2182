import { createHash } from "node:crypto";
import { assemble, createProcessor, linkStatic } from "aarch64";
import { describe, expect, it, test } from "vitest";
import { benchProgram, type ComputeKernel, computeKernels, labelOf } from "./program.js";

const RAM = 0x4000_0000;
const SCRATCH = RAM + 0x10_0000;
const PAGES = 0xa00;
/** PSTATE of EL1h with all interrupts masked. */
const EL1H = 0x3c5n;

/** Calls a kernel on a bare processor with its MMU off; instructions retired up to and with its RET, and x0. */
function call({ name, source }: ComputeKernel, passes: number): { retired: number; checksum: bigint } {
  const { bytes, symbols } = assemble(`hvc #0\n${source}`, { origin: BigInt(RAM) });
  const options = { vcpus: 1, ramBytes: PAGES * 4096, extraPages: 0, idRegisters: {}, mpidr: () => 0n, counterFrequency: 1e6, counter: () => 0 };
  const processor = createProcessor(options);
  for (let page = 0; page < PAGES; page++) processor.mapPage((RAM >> 12) + page, processor.ramOffset + page * 4096, "read-write");
  new Uint8Array(processor.memory.buffer).set(bytes, processor.ramOffset);
  processor.invalidateCode();
  const registers = processor.registers(0);
  registers.pstate = EL1H;
  registers.set("CPACR_EL1", 3n << 20n);
  registers.set("SP_EL1", BigInt(SCRATCH));
  registers.setX(0, BigInt(passes));
  registers.setX(27, BigInt(SCRATCH));
  registers.setX(30, BigInt(RAM));
  registers.pc = symbols.get(labelOf(name)) ?? 0n;
  for (let retired = 0; ; ) {
    const { kind } = processor.run(0, 1_000_000);
    retired += processor.retired;
    if (kind === "hvc") return { retired: retired - 1, checksum: registers.x(0) };
    if (kind !== "budget") throw new Error(`${name} ended with ${kind}`);
  }
}

describe.each(computeKernels.map((kernel) => [kernel.name, kernel] as const))("%s", (_, kernel) => {
  it.each([1, 2])("retires the instructions that its row tells, for %i passes", (passes) => {
    expect(call(kernel, passes).retired).toBe(kernel.setup + passes * kernel.perPass);
  });
});

test("SHA-256 gives the digest of its message, as node:crypto does", () => {
  const message = new Uint32Array(0x4000);
  for (let i = 0, x = 0x5678; i < message.length; i++, x = (x * 9) >>> 0) message[i] = x;
  const digest = createHash("sha256").update(message).digest().readBigUInt64BE();
  const kernel = computeKernels.find(({ name }) => name === "sha256") as ComputeKernel;
  expect([call(kernel, 1).checksum, kernel.checksum]).toEqual([digest, digest]);
});

test("the program is an ELF executable for AArch64", () => {
  const elf = benchProgram(linkStatic);
  expect([...elf.subarray(0, 4)]).toEqual([0x7f, 0x45, 0x4c, 0x46]);
  expect(new DataView(elf.buffer, elf.byteOffset).getUint16(18, true)).toBe(183);
});
