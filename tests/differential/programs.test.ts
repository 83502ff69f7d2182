import { describe, expect, it } from "vitest";
import { computeKernels, labelOf } from "../../bench/src/guest/program.js";
import { CODE, DATA, EL1H, Machine } from "../../packages/aarch64/src/testing.js";
import { createRecordingCompiler, findDivergence } from "../../packages/aarch64/test/divergence.js";
import { reportOf } from "../../packages/aarch64/test/report.js";

/** Instructions between two looks at both. */
const STRIDE = 100_000;
/** Code, tables and the kernels' 8 MiB. */
const RAM_BYTES = 0xa0_0000;

const compiler = createRecordingCompiler();

/** A kernel of the benchmark, about to be called for one pass, on a processor with its MMU on. */
function start(source: string, name: string, isCompiled: boolean): Machine {
  const options = isCompiled ? { compile: { hotEntries: 50, batch: 1, maxWait: 0 }, compilerService: compiler } : { compile: false };
  const machine = new Machine({ ramBytes: RAM_BYTES, exact: true, trace: true, ...options });
  const symbols = machine.load(`hvc #0\n${source}`, CODE);
  machine.reset();
  machine.enableMmu();
  const registers = machine.registers();
  registers.set("CPACR_EL1", 3n << 20n);
  registers.set("SP_EL1", BigInt(DATA));
  registers.setX(0, 1n);
  registers.setX(27, BigInt(DATA));
  registers.setX(30, BigInt(CODE));
  registers.pstate = EL1H;
  const entry = symbols.get(labelOf(name));
  if (entry === undefined) throw new Error(`no function ${name}`);
  registers.pc = entry;
  return machine;
}

describe("the benchmark's kernels are the same interpreted and compiled, every 100,000 instructions", () => {
  it.each(computeKernels.map(({ name, source }) => [name, source] as const))("%s", { timeout: 120_000 }, (name, source) => {
    const [interpreted, compiled] = [start(source, name, false), start(source, name, true)];
    for (let index = 0; ; index++) {
      const exits = [interpreted, compiled].map(({ processor }) => processor.run(0, STRIDE).kind);
      if (interpreted.processor.trace?.hash !== compiled.processor.trace?.hash) throw new Error(explain(source, name, index));
      if (exits[0] !== "budget") break;
    }
    expect(compiled.processor.trace).toEqual(interpreted.processor.trace);
    expect(compiled.processor.compilerStatistics?.regions).toBeGreaterThan(0);
  });
});

/** Runs both again up to the stride in which they part, and reports the instruction. */
function explain(source: string, name: string, stride: number): string {
  const [interpreted, compiled] = [false, true].map((isCompiled) => {
    const { processor } = start(source, name, isCompiled);
    for (let index = 0; index < stride; index++) processor.run(0, STRIDE);
    return processor;
  });
  if (interpreted === undefined || compiled === undefined) return "";
  const found = findDivergence({ interpreted, compiled, vcpu: 0, budget: STRIDE }, compiler);
  return found === undefined ? `they part in stride ${stride}, but not when it is repeated in pieces` : reportOf(found);
}
