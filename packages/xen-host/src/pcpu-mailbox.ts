/**
 * What a pCPU's thread and the hypervisor's have in common: a few words of shared memory. Whose turn it is says who may touch the rest, and the memory of the
 * domain that is named in it. The thread's answer needs no place here: why a guest came out stands in the domain's own memory.
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

/** Whose turn it is; `failed` is the hypervisor's, and the thread has posted why. */
export const TURN = { hypervisor: 0, thread: 1, failed: 2 } as const;

/** `run` a vCPU; give a loan back (`release`), or drop it because the domain is gone (`forget`). */
export const OPERATION = { run: 0, release: 1, forget: 2 } as const;

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
