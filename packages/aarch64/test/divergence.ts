import { disassemble } from "../src/asm/disassemble.js";
import { type CompilerService, type RegionRequest, translateRegions } from "../src/compiler/translate.js";
import type { Processor, VcpuRecord } from "../src/processor.types.js";
import { type RegionAt, Side } from "./side.js";

/** The first instruction that two processors do not do alike. */
export interface Divergence {
  /** Instructions of the run in front of it. */
  readonly after: number;
  readonly pc: bigint;
  readonly word: number | undefined;
  /** How the instruction reads. */
  readonly text: string;
  /** Address of the compiled region that it is in, if it is in one, and the number of the instruction in the run of it. */
  readonly region: { readonly entry: bigint; readonly nth: number } | undefined;
  /** False if it is the whole region that differs: with a way out behind each instruction it does not. */
  readonly isOneInstruction: boolean;
  readonly before: VcpuRecord;
  readonly interpreted: VcpuRecord;
  readonly compiled: VcpuRecord;
  /** The first byte of RAM that differs behind it, as an offset, and its two values. */
  readonly ram: { readonly offset: number; readonly interpreted: number; readonly compiled: number } | undefined;
}

/** A compiler that remembers what it was asked for, so that regions can be compiled again in another way. */
export interface RecordingCompiler extends CompilerService {
  /** The last request for each record. */
  readonly requests: ReadonlyMap<number, RegionRequest>;
  translate(requests: readonly RegionRequest[]): WebAssembly.Module;
}

/** Compiles on the spot. `alter` may change a word before it is translated: a deliberate mistake. */
export function createRecordingCompiler(alter: (word: number) => number = (word) => word): RecordingCompiler {
  const requests = new Map<number, RegionRequest>();
  const altered = (request: RegionRequest): RegionRequest => ({
    ...request,
    words: request.words.map((value, i) => (i % 2 === 1 ? alter(value >>> 0) : value)),
  });
  const encode = (wanted: readonly RegionRequest[]): Uint8Array<ArrayBuffer> => translateRegions(wanted.map(altered));
  return {
    requests,
    translate: (wanted) => new WebAssembly.Module(encode(wanted)),
    compile(wanted, done) {
      for (const request of wanted) requests.set(request.record, request);
      const bytes = encode(wanted);
      done(new WebAssembly.Module(bytes), bytes.length);
    },
  };
}

/** Two processors that are about to run the same vCPU for the same budget, from the same state. */
export interface Pair {
  readonly interpreted: Processor;
  readonly compiled: Processor;
  readonly vcpu: number;
  readonly budget: number;
}

/** A piece of a run: so many instructions, in a region or interpreted. */
interface Piece {
  readonly from: number;
  readonly instructions: number;
  readonly region: RegionAt | undefined;
  readonly entry: bigint;
}

/** Finds the first instruction that a pair does not do alike in the run that is ahead of them; undefined if there is none. */
export function findDivergence(pair: Pair, compiler: RecordingCompiler): Divergence | undefined {
  const search = new Search(pair, compiler);
  const piece = search.firstPiece();
  return piece && search.describe(piece);
}

class Search {
  readonly #interpreted: Side;
  readonly #compiled: Side;
  readonly #budget: number;
  readonly #compiler: RecordingCompiler;

  constructor({ interpreted, compiled, vcpu, budget }: Pair, compiler: RecordingCompiler) {
    this.#interpreted = new Side(interpreted, vcpu);
    this.#compiled = new Side(compiled, vcpu);
    this.#budget = budget;
    this.#compiler = compiler;
    if (this.#interpreted.hash !== this.#compiled.hash) throw new Error("the two are not in the same state to begin with");
    this.#restart();
  }

  /** The piece in which registers or RAM part. */
  firstPiece(): Piece | undefined {
    const pieces: Piece[] = [];
    let found = false;
    for (const piece of this.#pieces()) {
      pieces.push(piece);
      found = this.#interpreted.hash !== this.#compiled.hash || this.#interpreted.done !== this.#compiled.done;
      if (found) break;
    }
    if (!found && this.#ramDifference() === undefined) return undefined;
    // A wrong store shows in registers only when it is loaded again.
    let [same, differs] = [-1, pieces.length - 1];
    while (differs - same > 1) {
      const middle = (same + differs) >> 1;
      if (this.#isRamSameBehind(middle)) same = middle;
      else differs = middle;
    }
    return pieces[differs];
  }

  #restart(): void {
    this.#interpreted.restart();
    this.#compiled.restart();
  }

  /** Runs both to the end of the budget or the first exit, piece by piece. */
  *#pieces(): Generator<Piece> {
    const [one, other] = [this.#interpreted, this.#compiled];
    while (other.done < this.#budget) {
      const { region, pc: entry, done: from } = other;
      let instructions = region === undefined ? 0 : other.runRegion(other.functionOf(region), region, { budget: this.#budget - from });
      const isCompiled = instructions > 0;
      if (!isCompiled) instructions = 1;
      const isOn = isCompiled || other.step(1);
      const isOnToo = one.step(instructions);
      yield { from, instructions, region: isCompiled ? region : undefined, entry };
      if (!isOn || !isOnToo) return;
    }
  }

  #isRamSameBehind(index: number): boolean {
    this.#restart();
    let i = 0;
    for (const _ of this.#pieces()) if (i++ === index) break;
    return this.#ramDifference() === undefined;
  }

  #ramDifference(): Divergence["ram"] {
    const [one, other] = [this.#interpreted.ram, this.#compiled.ram];
    if (Buffer.compare(one, other) === 0) return undefined;
    const offset = one.findIndex((byte, i) => byte !== other[i]);
    return { offset, interpreted: one[offset] ?? 0, compiled: other[offset] ?? 0 };
  }

  /** The one instruction of a piece, by running ever shorter beginnings of its region. */
  describe({ from, instructions, region, entry }: Piece): Divergence {
    let nth = instructions;
    let runPart: (ration: number) => void = () => void this.#compiled.step(instructions);
    let isOneInstruction = instructions === 1;
    const request = region && this.#compiler.requests.get(region.record);
    if (region !== undefined && request !== undefined) {
      const rationed = this.#compiled.instantiate(this.#compiler.translate([{ ...request, isRationed: true }]), region.record);
      const whole = this.#compiled.functionOf(region);
      const budget = this.#budget - from;
      runPart = (ration) => void this.#compiled.runRegion(rationed, region, { budget, ration });
      isOneInstruction = this.#differs(from, instructions, runPart);
      if (isOneInstruction) {
        for (let same = 0; nth - same > 1; ) {
          const middle = (same + nth) >> 1;
          if (this.#differs(from, middle, runPart)) nth = middle;
          else same = middle;
        }
      } else runPart = () => void this.#compiled.runRegion(whole, region, { budget });
    }
    this.#restart();
    if (from > 0) this.#compiled.step(from);
    runPart(nth);
    this.#interpreted.step(isOneInstruction ? from + nth - 1 : from);
    const { registers: before, pc, word } = this.#interpreted;
    this.#interpreted.step(isOneInstruction ? 1 : instructions);
    return {
      after: isOneInstruction ? from + nth - 1 : from,
      pc,
      word,
      text: word === undefined ? "(cannot be fetched)" : disassemble(word, pc),
      region: region && { entry, nth },
      isOneInstruction,
      before,
      interpreted: this.#interpreted.registers,
      compiled: this.#compiled.registers,
      ram: this.#ramDifference(),
    };
  }

  /** Whether the sides differ behind the first `ration` instructions of the region at `from`. */
  #differs(from: number, ration: number, runPart: (ration: number) => void): boolean {
    this.#restart();
    if (from > 0) this.#compiled.step(from);
    runPart(ration);
    this.#interpreted.step(this.#compiled.done);
    return this.#interpreted.hash !== this.#compiled.hash || this.#ramDifference() !== undefined;
  }
}
