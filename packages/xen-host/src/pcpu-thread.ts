import { type MessagePort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { type Borrower, createBorrower, type Loan } from "aarch64";
import { ticksAt } from "xen-arch-arm";
import { createPolledCompiler } from "./pcpu-compiler.js";
import { hrtimeOffset } from "./pcpu-clock.js";
import { mailboxOn, OPERATION, passTurn, TIME, TURN, WORD } from "./pcpu-mailbox.js";

/** What a pCPU's thread gets from the hypervisor's. */
export interface PcpuSettings {
  readonly mailbox: SharedArrayBuffer;
  /** Rung when a guest has come out; the hypervisor's thread may sleep on it. */
  readonly wake: Int32Array;
  /** Set to 1 at the same time; the hypervisor's thread looks at it while it runs a guest itself. */
  readonly news: Int32Array;
  /** Loans come here, failures go back. */
  readonly port: MessagePort;
  /** `process.hrtime.bigint()` when the hypervisor's clock was 0. */
  readonly boot: bigint;
}

/** A domain that the thread is to run. */
export interface LoanMessage {
  readonly id: number;
  readonly loan: Loan;
}

/** Most and fewest instructions between two looks at the mailbox. */
const CHUNK = 30_000;
const LEAST = 200;
/** Chunks with fewer instructions are mostly the way in and out. */
const LEARN_FROM = 1000;
/** Nanoseconds that are spent looking at the mailbox before the thread sleeps: most exits are short. */
const SPIN = 20_000;
/** Milliseconds of sleep after which the event loop gets its turn. */
const NAP = 10_000;

const { mailbox, wake, news, port, boot } = workerData as PcpuSettings;
const mail = mailboxOn(mailbox);
const { words, times } = mail;
const clockOffset = hrtimeOffset(boot);
const now = (): number => performance.now() * 1e6 + clockOffset;
const loans = new Map<number, Borrower>();
const compiler = createPolledCompiler(new URL("./compiler-thread.js", import.meta.url));
let counterOffset = 0;
/** Instructions a nanosecond, learnt. */
let rate = 0.1;

const counter = (which: "virtual" | "physical"): number => ticksAt(now()) - (which === "virtual" ? counterOffset : 0);

function loanOf(id: number): Borrower {
  for (let found = loans.get(id); ; found = loans.get(id)) {
    if (found !== undefined) return found;
    const received = receiveMessageOnPort(port)?.message as LoanMessage | undefined;
    if (received === undefined) throw new Error(`there is no loan ${id}`);
    loans.set(received.id, createBorrower(received.loan, { counter, compilerService: compiler.service }));
  }
}

/** Runs the guest until it needs the hypervisor, is kicked or has had its time. */
function runGuest(): void {
  const guest = loanOf(words[WORD.loan] as number);
  const vcpu = words[WORD.vcpu] as number;
  const until = times[TIME.until] as number;
  counterOffset = times[TIME.counterOffset] as number;
  if (words[WORD.dropCode] === 1) guest.dropCode();
  for (let start = now(); ; ) {
    compiler.poll();
    const isUnfinished = guest.run(vcpu, Math.max(LEAST, Math.min(CHUNK, Math.floor((until - start) * rate))));
    if (!isUnfinished || Atomics.load(words, WORD.kick) === 1) return;
    const end = now();
    if (guest.retired >= LEARN_FROM) rate += (guest.retired / (end - start) - rate) / 8;
    if (end >= until) return;
    start = end;
  }
}

function answer(): void {
  const operation = words[WORD.operation];
  if (operation === OPERATION.run) return runGuest();
  const id = words[WORD.loan] as number;
  if (operation === OPERATION.release) loans.get(id)?.dropCode();
  loans.delete(id);
}

/** Serves the hypervisor's wishes for as long as they come. */
function serve(): void {
  for (;;) {
    for (const end = now() + SPIN; Atomics.load(words, WORD.turn) !== TURN.thread && now() < end; );
    while (Atomics.load(words, WORD.turn) !== TURN.thread) {
      if (Atomics.wait(words, WORD.turn, TURN.hypervisor, NAP) === "timed-out") return void setImmediate(serve);
    }
    let turn: number = TURN.hypervisor;
    try {
      answer();
    } catch (error) {
      port.postMessage((error as Error).stack ?? String(error));
      turn = TURN.failed;
    }
    passTurn(mail, turn);
    Atomics.store(news, 0, 1);
    Atomics.store(wake, 0, 1);
    Atomics.notify(wake, 0);
  }
}

serve();
