import { compilerViewOf } from "./compiler-view.js";
import { DEFAULT_COMPILER_OPTIONS } from "./compiler/compiler.js";
import type { CompilerService } from "./compiler/translate.js";
import { Engine, type EngineOptions, interpreterOf } from "./engine.js";
import { execute } from "./execute.js";
import type { Exit } from "./exit.js";
import { AT, EXIT, layoutOf } from "./layout.js";
import type { Borrower, Lending, LentTo, Loan } from "./lending.types.js";
import type { ProcessorOptions } from "./processor.types.js";

/** What lending needs of the processor. */
export interface LenderHost {
  readonly options: EngineOptions;
  /** The processor's own engine; it stays, and does all but running. */
  readonly engine: () => Engine;
  /** The memory changes from now on. */
  readonly giveUpParking: () => void;
  readonly exit: () => Exit;
}

/** Builds a processor's `Lending`; `dropCode` is what `invalidateCode` does while the vCPUs are lent. */
export function createLending({ options, engine, giveUpParking, exit }: LenderHost): Lending & { dropCode(): boolean } {
  const { processor, layout, compiler } = options;
  let borrower: LentTo | undefined;
  let isCodeStale = false;
  return {
    get isLent() {
      return borrower !== undefined;
    },
    lend(to) {
      const { memory, code } = engine();
      code.dropAll();
      engine().compiler?.forgetRequests();
      borrower = to;
      isCodeStale = false;
      return {
        memory,
        interpreter: processor.interpreter?.(true) ?? interpreterOf(layout, true),
        vcpus: processor.vcpus,
        ramBytes: processor.ramBytes,
        extraPages: processor.extraPages,
        idRegisters: processor.idRegisters,
        mpidr: Array.from({ length: processor.vcpus }, (_, vcpu) => processor.mpidr(vcpu)),
        counterFrequency: processor.counterFrequency,
        compile: processor.compile !== false && compiler,
        statistics: engine().compiler?.statistics,
      };
    },
    reclaim(statistics) {
      borrower = undefined;
      // The borrower's regions are in its own table.
      engine().jumps.drop();
      engine().code.listen();
      if (statistics === "lost") engine().code.dropUnknown();
      else if (statistics !== undefined) engine().compiler?.continueFrom(statistics);
    },
    enter(vcpu) {
      giveUpParking();
      engine().state.select(vcpu);
      const wasStale = isCodeStale;
      isCodeStale = false;
      return wasStale;
    },
    leave: exit,
    recall: () => borrower?.recall(),
    get view() {
      return borrower?.view;
    },
    dropCode() {
      isCodeStale = borrower !== undefined;
      return isCodeStale;
    },
  };
}

/** Time and compilation on the other thread; as in `ProcessorOptions`. */
export type BorrowerOptions = Pick<ProcessorOptions, "counter"> & { readonly compilerService?: CompilerService };

/** Takes a loan, on the thread that is to run the vCPUs. */
export function createBorrower(loan: Loan, options: BorrowerOptions): Borrower {
  const layout = layoutOf(loan);
  const processor: ProcessorOptions = { ...loan, ...options, isShared: true, interpreter: () => loan.interpreter, mpidr: (vcpu) => loan.mpidr[vcpu] ?? 0n };
  const compiler = loan.compile === false ? DEFAULT_COMPILER_OPTIONS : loan.compile;
  const engine = new Engine({ processor, layout, compiler, memory: loan.memory }, 0, loan.statistics);
  const view = compilerViewOf(engine, layout);
  return {
    run(vcpu, budget) {
      engine.state.adopt(vcpu);
      engine.compiler?.poll();
      execute(engine, budget, processor);
      return engine.state.get32(AT.EXIT) === EXIT.budget;
    },
    get retired() {
      return engine.retired;
    },
    dropCode() {
      engine.code.dropAll();
      engine.compiler?.forgetRequests();
    },
    get compilerStatistics() {
      return view.compilerStatistics;
    },
    regions: view.regions,
    region: view.region,
  };
}
