import type { RunOutcome } from "xen-common";

/** What the loop drives. */
export interface Runnable {
  runPcpu(cpu: number): RunOutcome;
}

/** Options of `createRunLoop`. */
export interface RunLoopOptions {
  readonly pcpus: number;
  /** Nanoseconds since Xen booted. */
  readonly now: () => number;
  /** A word that another thread sets to 1 and notifies when it has sent a message; ends a short sleep. */
  readonly wake?: Int32Array;
  /** A word that other threads set to 1 when the pCPUs should be looked after; the loop clears it. */
  readonly news?: Int32Array;
  /** A guest runs on another thread, which notifies `wake` when it comes out. */
  readonly isActive?: () => boolean;
}

/** The host's loop over the pCPUs of one thread. */
export interface RunLoop {
  /** Something may be runnable again. */
  kick(): void;
  stop(): void;
}

/** Waits below this many milliseconds are slept on the spot, to the microsecond; setTimeout only knows milliseconds. */
const SHORT_WAIT = 2;
/** While guests run on other threads, the event loop has its turn at least every so many milliseconds. */
const TURN = 2;
/** A guest that takes an interrupt comes out several times in a row: nanoseconds to the next time, and of all of them. */
const BURST = 8000;
const LONGEST_BURST = 200_000;
/** Nanoseconds that are spent looking for news before a sleep, while guests run on other threads: a sleep costs more, and they come out again within microseconds. */
const SPIN = 20_000;

/**
 * Runs the pCPUs in turn, about 2 ms each, with a turn of the event loop between them so that messages are answered; sleeps while all
 * of them idle.
 */
export function createRunLoop(xen: Runnable, options: RunLoopOptions): RunLoop {
  const { pcpus, now, wake = new Int32Array(new SharedArrayBuffer(4)), news, isActive = () => false } = options;
  let immediate: NodeJS.Immediate | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  /** Waits at most `nanoseconds`, awake, for news of the threads; true if there are some. */
  function hasNewsWithin(nanoseconds: number): boolean {
    if (news === undefined || !isActive()) return false;
    for (const end = now() + nanoseconds; Atomics.load(news, 0) === 0; ) if (now() >= end) return false;
    return true;
  }
  /** One look after each pCPU; gives the time up to which all of them idle, 0 if one does not. The first one, which may stay longest, is the last. */
  function lookAround(): number {
    let idleUntil = Infinity;
    const look = (cpu: number): void => {
      const outcome = xen.runPcpu(cpu);
      idleUntil = outcome.ran ? 0 : Math.min(idleUntil, outcome.idleUntil ?? Infinity);
    };
    const end = now() + LONGEST_BURST;
    let hadNews: boolean;
    do {
      hadNews = news !== undefined && Atomics.exchange(news, 0, 0) === 1;
      idleUntil = Infinity;
      for (let cpu = 1; cpu < pcpus; cpu++) look(cpu);
    } while (hadNews && hasNewsWithin(BURST) && now() < end);
    look(0);
    return idleUntil;
  }
  function turn(): void {
    immediate = undefined;
    const end = now() + TURN * 1e6;
    let idleUntil = lookAround();
    // Guests on other threads come out often: each is seen to at once, and messages a little later.
    while (!isStopped && immediate === undefined && isActive() && now() < end) {
      if (idleUntil > now()) nap((idleUntil - now()) / 1e6);
      if (news === undefined || Atomics.load(news, 0) === 0) break;
      idleUntil = lookAround();
    }
    if (!isStopped && immediate === undefined) sleep(idleUntil);
  }
  /** Sleeps until another thread wants something. */
  function nap(milliseconds: number): void {
    hasNewsWithin(Math.min(SPIN, milliseconds * 1e6));
    Atomics.wait(wake, 0, 0, Math.min(milliseconds, SHORT_WAIT));
    Atomics.store(wake, 0, 0);
  }
  function sleep(until: number): void {
    const wait = (until - now()) / 1e6;
    if (wait <= 0) return kick();
    const isDeep = !isActive();
    if (isDeep && wait === Infinity) return;
    if (isDeep && wait >= SHORT_WAIT) {
      // A day is enough for one sleep; setTimeout would take more than 2^31 ms for 1.
      timer = setTimeout(kick, Math.min(Math.floor(wait - 1), 86_400_000));
      return;
    }
    nap(wait);
    kick();
  }
  function kick(): void {
    clearTimeout(timer);
    if (!isStopped) immediate ??= setImmediate(turn);
  }
  return {
    kick,
    stop() {
      isStopped = true;
      clearTimeout(timer);
      clearImmediate(immediate);
    },
  };
}
