import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type Case, changes, encode } from "./format.js";
import { DATA_BYTES, inputOf, slotOf, type State } from "./state.js";
import { casesOf, type Group, GROUPS, groupOf, LATER, words } from "./words.js";

const STATE_BYTES = 792;
const RESULT_BYTES = STATE_BYTES + 16 + 128;
const SIGNAL = { SIGILL: 4, SIGTRAP: 5, SIGSEGV: 11 } as const;

function writeState(view: DataView, at: number, state: State, word: number): void {
  for (let i = 0; i < 32; i++) view.setBigUint64(at + 8 * i, state.x[i] ?? 0n, true);
  for (let i = 0; i < 64; i++) view.setBigUint64(at + 256 + 8 * i, state.v[i] ?? 0n, true);
  view.setBigUint64(at + 768, state.pc, true);
  for (const [i, value] of [state.nzcv, state.fpcr, state.fpsr, word].entries()) view.setUint32(at + 776 + 4 * i, value, true);
}

function readState(view: DataView, at: number): State {
  return {
    x: BigUint64Array.from({ length: 32 }, (_, i) => view.getBigUint64(at + 8 * i, true)),
    v: BigUint64Array.from({ length: 64 }, (_, i) => view.getBigUint64(at + 256 + 8 * i, true)),
    pc: view.getBigUint64(at + 768, true),
    nzcv: view.getUint32(at + 776, true),
    fpcr: view.getUint32(at + 780, true),
    fpsr: view.getUint32(at + 784, true),
  };
}

/** Runs words under QEMU and records what they did; cases that fault on data are left out. */
export function record(recorder: string, cpu: string, list: readonly { readonly word: number; readonly seed: number }[]): Case[] {
  const input = new DataView(new ArrayBuffer(list.length * STATE_BYTES));
  for (const [i, { word, seed }] of list.entries()) writeState(input, i * STATE_BYTES, inputOf(seed, word), word);
  const { stdout, status, stderr } = spawnSync("qemu-aarch64", ["-cpu", cpu, recorder], { input: Buffer.from(input.buffer), maxBuffer: 2 ** 30 });
  if (status !== 0 || stdout.length !== list.length * RESULT_BYTES)
    throw new Error(`qemu-aarch64 gave ${stdout.length / RESULT_BYTES} of ${list.length} results: ${stderr}`);
  const view = new DataView(stdout.buffer, stdout.byteOffset, stdout.byteLength);
  return list.flatMap(({ word, seed }, i) => {
    const at = i * RESULT_BYTES;
    const after = readState(view, at);
    const signal = view.getUint32(at + STATE_BYTES, true);
    const isHere = after.pc === BigInt(slotOf(seed));
    if (isHere && signal !== SIGNAL.SIGILL) return [];
    const [from, bytes] = [view.getUint32(at + STATE_BYTES + 4, true), view.getUint32(at + STATE_BYTES + 8, true)];
    if (bytes > 128 || from > DATA_BYTES) throw new Error(`case ${seed} (${word.toString(16)}) changed ${bytes} bytes`);
    const memory = Uint8Array.from({ length: bytes }, (_, k) => view.getUint8(at + STATE_BYTES + 16 + k));
    const registers = changes(inputOf(seed, word), after);
    return [{ word, seed, output: { isUndefined: isHere, registers, pc: after.pc, nzcv: after.nzcv, fpsr: after.fpsr, memory: [from, memory] as const } }];
  });
}

/** Compiles record.c; gives the program's path. */
export function compileRecorder(source: string): string {
  const program = join(mkdtempSync(join(tmpdir(), "vectors-")), "record");
  const { status, stderr } = spawnSync("aarch64-linux-gnu-gcc", ["-O2", "-static", "-o", program, source]);
  if (status !== 0) throw new Error(`aarch64-linux-gnu-gcc failed: ${stderr}`);
  return program;
}

/** Records every group into `directory`; `scale` multiplies the number of cases. */
export function generate(directory: string, scale = 1): void {
  const recorder = compileRecorder(join(directory, "record.c"));
  const lists = new Map<Group, { word: number; seed: number; isLater: boolean }[]>(GROUPS.map((g) => [g, []]));
  for (const { word, seed, pattern } of words((p) => casesOf(p, scale))) {
    lists.get(groupOf(pattern))?.push({ word, seed, isLater: LATER.test(pattern.form.name) });
  }
  for (const [group, list] of lists) {
    const cases = [
      ...record(
        recorder,
        "cortex-a57",
        list.filter((c) => !c.isLater),
      ),
      ...record(
        recorder,
        "max,sve=off,sme=off",
        list.filter((c) => c.isLater),
      ),
    ];
    cases.sort((a, b) => a.seed - b.seed);
    const packed = gzipSync(encode(cases, slotOf), { level: 9 });
    writeFileSync(join(directory, `${group}.bin.gz`), packed);
    const undefinedCases = cases.filter((c) => c.output.isUndefined);
    console.log(`${group}: ${cases.length} of ${list.length} cases, ${undefinedCases.length} undefined, ${packed.length} bytes`);
    for (const c of undefinedCases.slice(0, 20)) console.log(`  undefined under QEMU: ${c.word.toString(16).padStart(8, "0")}`);
  }
}
