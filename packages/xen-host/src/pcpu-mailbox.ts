/**
 * What a pCPU's thread and the hypervisor's have in common: a few words of shared memory. Whose turn it is says who may touch the rest, and the memory of the
 * domain that is named in it. Why a guest came out needs no place here: it stands in the domain's own memory.
 */
export interface Mailbox {
  readonly words: Int32Array;
  readonly times: Float64Array;
}

/** Words of the mailbox. */
export const WORD = {
  /** TURN; both sides wait on it. */
  turn: 0,
  /** 1: the guest is to come out soon. */
  kick: 1,
  /** OPERATION. */
  operation: 2,
  /** Number of the loan that it is about. */
  loan: 3,
  vcpu: 4,
  /** 1: code was changed, forget what was decoded. */
  dropCode: 5,
} as const;

/** Elements of `times`. */
export const TIME = {
  /** When the guest comes out at the latest, in nanoseconds of the hypervisor's clock. */
  until: 0,
  /** Ticks between the physical and the virtual counter. */
  counterOffset: 1,
} as const;

/**
 * Whose turn it is. The hypervisor passes it to the `thread`, and may take it back as long as the thread has not begun (`begun`). `failed` is the
 * hypervisor's, and the thread has posted why.
 */
export const TURN = { hypervisor: 0, thread: 1, begun: 2, failed: 3 } as const;

/** `run` a vCPU; read what was `post`ed. */
export const OPERATION = { run: 0, post: 1 } as const;

const WORDS = 8;

/** A mailbox on shared memory; a new one, if left out. */
export function mailboxOn(buffer: SharedArrayBuffer = new SharedArrayBuffer(WORDS * 4 + 2 * 8)): Mailbox {
  return { words: new Int32Array(buffer, 0, WORDS), times: new Float64Array(buffer, WORDS * 4, 2) };
}

/** Hands the turn over and wakes who waits for it. */
export function passTurn({ words }: Mailbox, turn: number): void {
  Atomics.store(words, WORD.turn, turn);
  Atomics.notify(words, WORD.turn);
}

/** The thread's: begins with what it was given; false if it has no turn, or not any more. */
export function beginTurn({ words }: Mailbox): boolean {
  return Atomics.compareExchange(words, WORD.turn, TURN.thread, TURN.begun) === TURN.thread;
}

/** The hypervisor's: true if the thread had not begun, and will not. */
export function takeTurnBack({ words }: Mailbox): boolean {
  return Atomics.compareExchange(words, WORD.turn, TURN.thread, TURN.hypervisor) === TURN.thread;
}

const isTheThreads = (turn: number): boolean => turn === TURN.thread || turn === TURN.begun;

/** The hypervisor's: true while the turn is with the thread. */
export function isThreadsTurn({ words }: Mailbox): boolean {
  return isTheThreads(Atomics.load(words, WORD.turn));
}

/** Milliseconds of one sleep. Many short ones add up to time that this process was given: one that was stopped for an hour has not waited for an hour. */
const NAP = 100;

/**
 * The hypervisor's: sleeps until the turn is its own; false if that takes longer than `patience` milliseconds. Being woken says nothing about the turn:
 * the thread's last notification may come when it has the next turn already.
 */
export function awaitTurn({ words }: Mailbox, patience: number): boolean {
  for (let left = patience; left > 0; ) {
    const turn = Atomics.load(words, WORD.turn);
    if (!isTheThreads(turn)) return true;
    if (Atomics.wait(words, WORD.turn, turn, NAP) === "timed-out") left -= NAP;
  }
  return false;
}
