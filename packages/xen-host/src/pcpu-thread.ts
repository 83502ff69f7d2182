import { performance } from "node:perf_hooks";
import { type MessagePort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { type Borrower, createBorrower, type Loan } from "aarch64";
import { ticksAt } from "xen-arch-arm";
import { createPolledCompiler } from "./pcpu-compiler.js";
import { hrtimeOffset } from "./pcpu-clock.js";
import { beginTurn, mailboxOn, OPERATION, passTurn, TIME, TURN, WORD } from "./pcpu-mailbox.js";
import type { PcpuPost, PcpuQuestion } from "./pcpu-messages.js";

/** What a pCPU's thread gets from the hypervisor's. */
export interface PcpuSettings {
  readonly mailbox: SharedArrayBuffer;
  /** Rung when a guest has come out; the hypervisor's thread may sleep on it. */
  readonly wake: Int32Array;
  /** Set to 1 at the same time; the hypervisor's thread looks at it while it runs a guest itself. */
  readonly news: Int32Array;
  /** Posts come here, answers and failures go back. */
  readonly port: MessagePort;
  /** The hypervisor's compiler. */
  readonly compiler: MessagePort;
  /** `process.hrtime.bigint()` when the hypervisor's clock was 0. */
  readonly boot: bigint;
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

const { mailbox, wake, news, port, compiler: compilerPort, boot } = workerData as PcpuSettings;
const mail = mailboxOn(mailbox);
const { words, times } = mail;
const clockOffset = hrtimeOffset(boot);
const now = (): number => performance.now() * 1e6 + clockOffset;
const offers = new Map<number, Loan>();
const guests = new Map<number, Borrower>();
const compiler = createPolledCompiler(compilerPort);
let counterOffset = 0;
/** Instructions a nanosecond, learnt. */
let rate = 0.1;
/** A domain has gone: its memory stays until this thread's garbage is collected. */
let hasGarbage = false;

const counter = (which: "virtual" | "physical"): number => ticksAt(now()) - (which === "virtual" ? counterOffset : 0);

/** Reads what was posted. */
function readPosts(): void {
  for (let received = receiveMessageOnPort(port); received !== undefined; received = receiveMessageOnPort(port)) {
    const post = received.message as PcpuPost;
    if (post.kind === "lend") offers.set(post.id, post.loan);
    else if (post.kind === "forget") forget(post.id);
    else port.postMessage(answer(post));
  }
}

function forget(id: number): void {
  if (guests.delete(id) || offers.delete(id)) hasGarbage = true;
}

function answer(question: PcpuQuestion): unknown {
  const guest = guestOf(question.id);
  switch (question.kind) {
    case "return":
      guest.dropCode();
      forget(question.id);
      return guest.compilerStatistics;
    case "statistics":
      return guest.compilerStatistics;
    case "regions":
      return guest.regions();
    case "region":
      return guest.region(question.address);
  }
}

function guestOf(id: number): Borrower {
  const known = guests.get(id);
  if (known !== undefined) return known;
  if (!offers.has(id)) readPosts();
  const loan = offers.get(id);
  if (loan === undefined) throw new Error(`there is no loan ${id}`);
  offers.delete(id);
  const guest = createBorrower(loan, { counter, compilerService: compiler.service });
  guests.set(id, guest);
  return guest;
}

/** Runs the guest until it needs the hypervisor, is kicked or has had its time. */
function runGuest(): void {
  const guest = guestOf(words[WORD.loan] as number);
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

/** Does what the hypervisor wants, and gives the turn back. */
function serveTurn(): void {
  let turn: number = TURN.hypervisor;
  try {
    if (words[WORD.operation] === OPERATION.run) runGuest();
    else readPosts();
  } catch (error) {
    port.postMessage((error as Error).stack ?? String(error));
    turn = TURN.failed;
  }
  passTurn(mail, turn);
  Atomics.store(news, 0, 1);
  Atomics.store(wake, 0, 1);
  Atomics.notify(wake, 0);
}

/** Serves the hypervisor's wishes for as long as they come. */
function serve(): void {
  for (;;) {
    for (const end = now() + SPIN; Atomics.load(words, WORD.turn) !== TURN.thread && now() < end; );
    while (!beginTurn(mail)) {
      const turn = Atomics.load(words, WORD.turn);
      if (turn !== TURN.thread && Atomics.wait(words, WORD.turn, turn, NAP) === "timed-out") return void setImmediate(serve);
    }
    serveTurn();
    if (hasGarbage) globalThis.gc?.();
    hasGarbage = false;
  }
}

serve();
