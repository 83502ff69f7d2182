import type { CompilerService, Processor } from "aarch64";
import { createRecordingCompiler, type Divergence, findDivergence } from "../../packages/aarch64/test/divergence.js";
import { reportOf } from "../../packages/aarch64/test/report.js";
import { Side } from "../../packages/aarch64/test/side.js";
import { bootGuest, type Guest, type GuestOptions, type Staging } from "./guest.js";

/** A guest and what is done with it from outside, always in the same way. */
export interface Scenario {
  readonly guest: GuestOptions;
  readonly play: (guest: Guest) => void;
}

/** What both stagings did. */
export interface Agreement {
  readonly output: string;
  /** Runs of the processor, each of them compared. */
  readonly runs: number;
  /** Instructions that the guest retired. */
  readonly retired: number;
  readonly hash: bigint;
  /** Regions that were compiled meanwhile. */
  readonly regions: number;
}

/** Options of `compareStagings`. */
export interface Comparison {
  /** Compiles this instead of a word: a deliberate mistake. */
  readonly alter?: (word: number) => number;
  /** Entries after which code is compiled, if not as many as usual. */
  readonly hotEntries?: number;
  /** Runs of the processor that the compiler takes for its n-th answer; it answers at once if left out. */
  readonly delay?: (n: number) => number;
}

/** The stagings did not do the same. The message is the report. */
export class StagingsDiffer extends Error {
  readonly divergence: Divergence | undefined;

  constructor(message: string, divergence?: Divergence) {
    super(message);
    this.divergence = divergence;
  }
}

/** Thrown through the hypervisor to stop it in front of a run. */
class Stopped extends Error {
  readonly at: Stop;

  constructor(at: Stop) {
    super("stopped in front of a run");
    this.at = at;
  }
}

interface Stop {
  readonly processor: Processor;
  readonly vcpu: number;
  readonly budget: number;
}

interface Recorded {
  readonly hashes: bigint[];
  readonly retired: number[];
  readonly output: string;
}

/** Plays a scenario interpreted and compiled. Throws StagingsDiffer, with the first instruction that was not done alike, if they part. */
export function compareStagings(scenario: Scenario, { alter, hotEntries, delay }: Comparison = {}): Agreement {
  const createCompiler = (): ReturnType<typeof createRecordingCompiler> => createRecordingCompiler(alter);
  const lateAnswers = delayed(createCompiler(), delay);
  const recorded = record(scenario);
  let parted: number | undefined;
  let last: Processor | undefined;
  const guest = bootGuest(scenario.guest, {
    processor: { compile: hotEntries === undefined ? true : { hotEntries }, compilerService: lateAnswers.service },
    after(index, processor) {
      last = processor;
      lateAnswers.deliver();
      if (processor.trace?.hash === recorded.hashes[index] && processor.trace?.retired === recorded.retired[index]) return;
      parted = index;
      throw new Stopped({ processor, vcpu: 0, budget: 0 });
    },
  });
  try {
    scenario.play(guest);
  } catch (error) {
    if (parted === undefined) throw error;
    throw explain(scenario, parted, createCompiler, hotEntries);
  }
  const runs = recorded.hashes.length;
  if (guest.output() !== recorded.output) throw new StagingsDiffer("the stagings print different texts");
  if (last?.trace?.retired !== recorded.retired[runs - 1]) throw new StagingsDiffer("one staging goes on where the other ends");
  return {
    output: recorded.output,
    runs,
    retired: recorded.retired[runs - 1] ?? 0,
    hash: recorded.hashes[runs - 1] ?? 0n,
    regions: last?.compilerStatistics?.regions ?? 0,
  };
}

/** A compiler whose answers wait until they are delivered, as those of another thread do. */
function delayed(service: CompilerService, delay: (n: number) => number = () => 0): { readonly service: CompilerService; readonly deliver: () => void } {
  const waiting: { runs: number; readonly answer: () => void }[] = [];
  let answers = 0;
  return {
    service: {
      compile(requests, done) {
        const runs = delay(answers++);
        if (runs === 0) service.compile(requests, done);
        else waiting.push({ runs, answer: () => service.compile(requests, done) });
      },
    },
    deliver() {
      for (const late of waiting.splice(0)) {
        if (--late.runs > 0) waiting.push(late);
        else late.answer();
      }
    },
  };
}

/** Plays interpreted, and writes down where the guest is behind each run. */
function record(scenario: Scenario): Recorded {
  const hashes: bigint[] = [];
  const retired: number[] = [];
  const guest = bootGuest(scenario.guest, {
    processor: { compile: false },
    after(_index, { trace }) {
      hashes.push(trace?.hash ?? 0n);
      retired.push(trace?.retired ?? 0);
    },
  });
  scenario.play(guest);
  return { hashes, retired, output: guest.output() };
}

/** Plays up to a run. */
function playTo(scenario: Scenario, index: number, processor: Staging["processor"]): Stop {
  const guest = bootGuest(scenario.guest, {
    processor,
    before(at, its, run) {
      if (at === index) throw new Stopped({ processor: its, ...run });
    },
  });
  try {
    scenario.play(guest);
  } catch (error) {
    if (error instanceof Stopped) return error.at;
    throw error;
  }
  throw new Error(`the guest does not come to run ${index}`);
}

/** The report on a guest whose traces part in run `parted`: plays again, and finds the first run with a difference in registers or RAM, and the instruction in it. */
function explain(
  scenario: Scenario,
  parted: number,
  createCompiler: () => ReturnType<typeof createRecordingCompiler>,
  hotEntries: number | undefined,
): StagingsDiffer {
  const pairAt = (index: number): { readonly interpreted: Stop; readonly compiled: Stop; readonly compiler: ReturnType<typeof createRecordingCompiler> } => {
    const compiler = createCompiler();
    const compile = hotEntries === undefined ? true : { hotEntries };
    return { interpreted: playTo(scenario, index, { compile: false }), compiled: playTo(scenario, index, { compile, compilerService: compiler }), compiler };
  };
  let pair = pairAt(parted);
  if (!isSame(pair.interpreted, pair.compiled)) {
    let [same, differs] = [0, parted];
    while (differs - same > 1) {
      const middle = (same + differs) >> 1;
      const there = pairAt(middle);
      if (isSame(there.interpreted, there.compiled)) same = middle;
      else differs = middle;
    }
    pair = pairAt(same);
    parted = same;
  }
  const { vcpu, budget } = pair.interpreted;
  const found = findDivergence({ interpreted: pair.interpreted.processor, compiled: pair.compiled.processor, vcpu, budget }, pair.compiler);
  const where = `run ${parted} of vCPU ${vcpu}, ${budget} instructions long`;
  return found === undefined
    ? new StagingsDiffer(`the stagings part in ${where}, but not when it is repeated in pieces`)
    : new StagingsDiffer(`${where}\n${reportOf(found)}`, found);
}

/** Whether registers and RAM are the same in front of a run. */
function isSame(one: Stop, other: Stop): boolean {
  if (one.vcpu !== other.vcpu || one.budget !== other.budget) return false;
  const [a, b] = [one, other].map(({ processor, vcpu }) => new Side(processor, vcpu));
  return a !== undefined && b !== undefined && a.hash === b.hash && Buffer.compare(a.ram, b.ram) === 0;
}
