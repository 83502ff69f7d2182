import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import type { Exit, Lending, Processor } from "aarch64";
import type { GuestEntry, GuestThreads } from "xen-arch-arm";
import type { Clock } from "xen-common";
import { bootTime } from "./pcpu-clock.js";
import { type Mailbox, mailboxOn, OPERATION, passTurn, TIME, TURN, WORD } from "./pcpu-mailbox.js";
import type { LoanMessage, PcpuSettings } from "./pcpu-thread.js";

/** What the threads are made with. */
export interface PcpuThreadsOptions {
  /** The script of a thread (pcpu-thread.ts). */
  readonly thread: URL;
  readonly clock: Clock;
  /** The word that the host's loop sleeps on. */
  readonly wake: Int32Array;
  /** The word that says that the loop should look after the threads. */
  readonly news: Int32Array;
  /** Gets a line when a thread dies. */
  readonly log: (line: string) => void;
}

/** Milliseconds that a thread may take to let a guest go, or a domain; some hundred in the worst case, on a machine that does more than it can. */
const PATIENCE = 10_000;
/** Milliseconds that a thread without a domain stays. */
const IDLE_TIME = 2000;

/** One pCPU's thread, with the domains that it has been lent. It comes with the first of them. */
class PcpuThread {
  readonly #cpu: number;
  readonly #options: PcpuThreadsOptions;
  readonly #loans = new Map<Processor, number>();
  #worker: Worker | undefined;
  #mail: Mailbox = mailboxOn();
  #port: MessagePort | undefined;
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
    words[WORD.loan] = loan;
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
    if (this.#inside !== undefined) this.#stop();
    const loan = this.#loans.get(processor);
    // It may have died meanwhile, and the loan with it.
    if (loan === undefined) return;
    this.#loans.delete(processor);
    this.#mail.words[WORD.operation] = isGone ? OPERATION.forget : OPERATION.release;
    this.#mail.words[WORD.loan] = loan;
    passTurn(this.#mail, TURN.thread);
    const isDone = this.#wait() && Atomics.load(this.#mail.words, WORD.turn) === TURN.hypervisor;
    if (!isDone) this.#die("it does not give a domain back");
    lendingOf(processor).reclaim(!isDone);
    if (this.#loans.size === 0) this.#idle = setTimeout(() => this.#end(), IDLE_TIME).unref();
  }

  #lend(processor: Processor): number {
    clearTimeout(this.#idle);
    if (this.#worker === undefined) this.#start();
    const id = this.#nextLoan++;
    this.#loans.set(processor, id);
    const loan = lendingOf(processor).lend(() => {
      if (this.#inside === processor) this.#stop();
    });
    this.#port?.postMessage({ id, loan } satisfies LoanMessage);
    return id;
  }

  #start(): void {
    const { thread, clock, wake, news } = this.#options;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#mail = mailboxOn();
    const boot = bootTime(clock);
    const settings: PcpuSettings = { mailbox: this.#mail.words.buffer as SharedArrayBuffer, wake, news, port: port2, boot };
    const worker = new Worker(thread, { workerData: settings, transferList: [port2], resourceLimits: { maxYoungGenerationSizeMb: 4 } });
    worker.unref();
    worker.once("error", (error: Error) => this.#worker === worker && this.#die(error.message));
    worker.once("exit", (code) => this.#worker === worker && this.#die(`its thread exited with ${code}`));
    this.#worker = worker;
  }

  #end(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#port?.close();
    void worker?.terminate();
  }

  /** Waits until it is not the thread's turn. */
  #wait(): boolean {
    return Atomics.wait(this.#mail.words, WORD.turn, TURN.thread, PATIENCE) !== "timed-out";
  }

  /** Gets the guest out. */
  #stop(): void {
    this.kick();
    if (!this.#collect() && !(this.#wait() && this.#collect())) this.#die("it does not let its guest go");
  }

  /** Notes why the guest came out; false while it is inside. */
  #collect(): boolean {
    const turn = Atomics.load(this.#mail.words, WORD.turn);
    const processor = this.#inside;
    if (turn === TURN.thread || processor === undefined) return processor === undefined;
    this.#inside = undefined;
    this.#exit = turn === TURN.failed ? this.#failure(String(this.#port && receiveMessageOnPort(this.#port)?.message)) : lendingOf(processor).leave();
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
    for (const processor of this.#loans.keys()) lendingOf(processor).reclaim(true);
    this.#loans.clear();
    Atomics.store(this.#options.news, 0, 1);
  }
}

function lendingOf({ lending }: Processor): Lending {
  if (lending === undefined) throw new Error("a domain whose memory is not shared cannot leave its thread");
  return lending;
}

/** The threads of the pCPUs behind the first one, which is the hypervisor's own thread. */
export function createPcpuThreads(options: PcpuThreadsOptions): GuestThreads {
  const threads: PcpuThread[] = [];
  const threadOf = (cpu: number): PcpuThread => (threads[cpu] ??= new PcpuThread(cpu, options));
  const bringHome = (processor: Processor, isGone: boolean): void => threads.find((thread) => thread?.has(processor))?.giveBack(processor, isGone);
  return {
    get isActive() {
      return threads.some((thread) => thread?.isActive);
    },
    enter(entry) {
      const thread = threadOf(entry.cpu);
      if (!thread.has(entry.processor)) bringHome(entry.processor, false);
      thread.enter(entry);
    },
    leave: (cpu) => threadOf(cpu).leave(),
    kick: (cpu) => threadOf(cpu).kick(),
    bringHome,
  };
}
