import { receiveMessageOnPort } from "node:worker_threads";
import type { CompiledRegion, CompilerStatistics, CompilerView, Exit, Lending, LentTo, Processor, RegionReport } from "aarch64";
import type { GuestEntry } from "xen-arch-arm";
import { awaitTurn, isThreadsTurn, type Mailbox, mailboxOn, OPERATION, passTurn, takeTurnBack, TIME, TURN, WORD } from "./pcpu-mailbox.js";
import type { PcpuPost, PcpuQuestion } from "./pcpu-messages.js";
import { type PcpuThreadsOptions, type PcpuWorker, startPcpuWorker } from "./pcpu-worker.js";

/** Milliseconds that a thread may take to let a guest go, or a domain; some hundred in the worst case, on a machine that does more than it can. */
const PATIENCE = 10_000;
/** Milliseconds that a thread without a domain stays. */
const IDLE_TIME = 2000;

/** A domain that a thread has. */
interface Lent {
  readonly id: number;
  /** The thread has run it. */
  hasBegun: boolean;
}

/** One pCPU's thread, with the domains that it has been lent. It comes with the first of them. */
export class PcpuLender {
  readonly #cpu: number;
  readonly #options: PcpuThreadsOptions;
  readonly #loans = new Map<Processor, Lent>();
  #worker: PcpuWorker | undefined;
  #mail: Mailbox = mailboxOn();
  #idle: NodeJS.Timeout | undefined;
  #nextLoan = 0;
  /** Whose guest is inside. */
  #inside: Processor | undefined;
  /** Why a guest came out that nobody has asked after yet. */
  #exit: Exit | undefined;

  constructor(cpu: number, options: PcpuThreadsOptions) {
    this.#cpu = cpu;
    this.#options = options;
  }

  get isActive(): boolean {
    return this.#inside !== undefined;
  }

  has(processor: Processor): boolean {
    return this.#loans.has(processor);
  }

  enter({ processor, vcpu, until, counterOffset }: GuestEntry): void {
    // Lending may start the thread, and with it a new mailbox.
    const loan = this.#loans.get(processor) ?? this.#lend(processor);
    const { words, times } = this.#mail;
    words[WORD.dropCode] = lendingOf(processor).enter(vcpu) ? 1 : 0;
    words[WORD.kick] = 0;
    words[WORD.operation] = OPERATION.run;
    words[WORD.loan] = loan.id;
    words[WORD.vcpu] = vcpu;
    times[TIME.until] = until;
    times[TIME.counterOffset] = counterOffset;
    this.#inside = processor;
    passTurn(this.#mail, TURN.thread);
  }

  leave(): Exit | undefined {
    if (this.#inside !== undefined) this.#collect();
    const exit = this.#exit;
    this.#exit = undefined;
    return exit;
  }

  kick(): void {
    Atomics.store(this.#mail.words, WORD.kick, 1);
  }

  /** Takes back a domain; `isGone` if it will never run again. */
  giveBack(processor: Processor, isGone: boolean): void {
    this.#stop();
    const loan = this.#loans.get(processor);
    // The thread may have died meanwhile, and the loan with it.
    if (loan === undefined) return;
    const { id, hasBegun } = loan;
    let statistics: CompilerStatistics | undefined | "lost";
    // A thread that never ran it may be on its way still, and is not waited for.
    if (!hasBegun) this.#post({ kind: "forget", id });
    else if (isGone) {
      this.#post({ kind: "forget", id });
      if (!this.#passAndWait()) return this.#die("it does not forget a domain");
    } else {
      const answer = this.#ask({ kind: "return", id });
      if (answer === undefined) return;
      statistics = answer.message as CompilerStatistics | undefined;
    }
    this.#loans.delete(processor);
    lendingOf(processor).reclaim(statistics);
    if (this.#loans.size === 0) this.#idle = setTimeout(() => this.#end(), IDLE_TIME).unref();
  }

  #lend(processor: Processor): Lent {
    clearTimeout(this.#idle);
    if (this.#worker === undefined) this.#start();
    const lent: Lent = { id: this.#nextLoan++, hasBegun: false };
    this.#loans.set(processor, lent);
    this.#post({ kind: "lend", id: lent.id, loan: lendingOf(processor).lend(this.#lentTo(processor, lent)) });
    return lent;
  }

  #lentTo(processor: Processor, lent: Lent): LentTo {
    const { id } = lent;
    const ask = (question: PcpuQuestion): unknown => {
      this.#stop();
      return this.#loans.has(processor) ? this.#ask(question)?.message : undefined;
    };
    const view: CompilerView = {
      get compilerStatistics() {
        return ask({ kind: "statistics", id }) as CompilerStatistics | undefined;
      },
      regions: () => (ask({ kind: "regions", id }) ?? []) as CompiledRegion[],
      region: (address) => ask({ kind: "region", id, address }) as RegionReport | undefined,
    };
    return {
      recall: () => {
        if (this.#inside === processor) this.#stop();
      },
      get view() {
        return lent.hasBegun ? view : undefined;
      },
    };
  }

  #start(): void {
    const worker = startPcpuWorker(this.#options, (reason) => this.#worker === worker && this.#die(reason));
    this.#worker = worker;
    this.#mail = worker.mail;
  }

  #end(): void {
    this.#worker?.end();
    this.#worker = undefined;
  }

  #post(post: PcpuPost): void {
    this.#worker?.port.postMessage(post);
  }

  #receive(): { readonly message: unknown } | undefined {
    return this.#worker && receiveMessageOnPort(this.#worker.port);
  }

  /** Lets the thread read what was posted; false if that goes wrong. No guest is inside. */
  #passAndWait(): boolean {
    this.#mail.words[WORD.operation] = OPERATION.post;
    passTurn(this.#mail, TURN.thread);
    return awaitTurn(this.#mail, PATIENCE) && Atomics.load(this.#mail.words, WORD.turn) === TURN.hypervisor;
  }

  /** The answer to a question; undefined if the thread has died over it. */
  #ask(question: PcpuQuestion): { readonly message: unknown } | undefined {
    this.#post(question);
    const answer = this.#passAndWait() ? this.#receive() : undefined;
    if (answer === undefined) this.#die(`it does not answer: ${question.kind}`);
    return answer;
  }

  /** Gets the guest out, if one is inside. One that the thread has not begun with is not waited for. */
  #stop(): void {
    const processor = this.#inside;
    if (processor === undefined) return;
    if (takeTurnBack(this.#mail)) {
      this.#inside = undefined;
      this.#exit = { kind: "budget" };
      if (this.#mail.words[WORD.dropCode] === 1) processor.invalidateCode();
      return;
    }
    this.kick();
    if (!(awaitTurn(this.#mail, PATIENCE) && this.#collect())) this.#die("it does not let its guest go");
  }

  /** Notes why the guest came out; false while it is inside. */
  #collect(): boolean {
    const processor = this.#inside;
    if (processor === undefined || isThreadsTurn(this.#mail)) return processor === undefined;
    const hasFailed = Atomics.load(this.#mail.words, WORD.turn) === TURN.failed;
    const loan = this.#loans.get(processor);
    if (loan !== undefined) loan.hasBegun = true;
    this.#inside = undefined;
    this.#exit = hasFailed ? this.#failure(String(this.#receive()?.message)) : lendingOf(processor).leave();
    return true;
  }

  #failure(reason: string): Exit {
    return { kind: "guest-error", reason: `pCPU ${this.#cpu} failed: ${reason}` };
  }

  /** The thread is gone, or is made to go. Its guest is lost; the other domains go on with the next one. */
  #die(reason: string): void {
    this.#options.log(`pCPU ${this.#cpu} failed: ${reason}`);
    this.#end();
    if (this.#inside !== undefined) this.#exit = this.#failure(reason);
    this.#inside = undefined;
    for (const processor of this.#loans.keys()) lendingOf(processor).reclaim("lost");
    this.#loans.clear();
    Atomics.store(this.#options.news, 0, 1);
  }
}

function lendingOf({ lending }: Processor): Lending {
  if (lending === undefined) throw new Error("a domain whose memory is not shared cannot leave its thread");
  return lending;
}
