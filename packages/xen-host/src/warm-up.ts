import { createProcessor, type ProcessorOptions } from "aarch64";

/** Milliseconds of interpreting after which the engine surely optimises the interpreter's loop. */
const LONG_ENOUGH = 40;
/** Instructions between two looks at the time. */
const PIECE = 20_000;
/** 1: add x0, x0, #1; ldr x1, [x2]; str x1, [x2, #8]; subs x3, x3, #1; b.ne 1b; b 1b */
const LOOP = [0x9100_0400, 0xf940_0041, 0xf900_0441, 0xf100_0463, 0x54ff_ff81, 0x17ff_fffb];
/** EL1h with all exceptions masked. */
const EL1H = 0x3c5n;

/**
 * Runs a small loop, so that the engine has optimised the interpreter by the time that the first guest begins: xl needs as long to tell of one. Gives the
 * number of instructions. Throws a RangeError if there is no room for a memory.
 */
export function warmUp(options: Pick<ProcessorOptions, "isShared" | "interpreter">): number {
  const processor = createProcessor({
    ...options,
    vcpus: 1,
    ramBytes: 4096,
    extraPages: 0,
    idRegisters: {},
    mpidr: () => 0n,
    counterFrequency: 1e6,
    counter: () => 0,
    compile: false,
  });
  processor.mapPage(0, processor.ramOffset, "read-write");
  new Uint32Array(processor.memory.buffer, processor.ramOffset, LOOP.length).set(LOOP);
  const registers = processor.registers(0);
  registers.pc = 0n;
  registers.pstate = EL1H;
  registers.setX(2, 0x800n);
  let retired = 0;
  for (const end = performance.now() + LONG_ENOUGH; performance.now() < end; retired += processor.retired) processor.run(0, PIECE);
  return retired;
}
