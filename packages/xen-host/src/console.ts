import { type ConsoleStream, XenCtrlError } from "libxl";
import { createConsoleHistory } from "./console-history.js";

/** The guest's side of a console, whatever its kind. */
export interface ConsolePort {
  /** Takes what the guest has put out since the last call. */
  read(): Uint8Array;
  /** Gives input to the guest; returns how many bytes there was room for. */
  write(bytes: Uint8Array): number;
}

/** One console of a domain: many readers, one writer, output kept from the first byte. */
export interface Console {
  /** The guest signalled: takes output, and goes on with input that had no room. */
  pump(): void;
  /** A reader; the first one that types owns the input until it closes. */
  open(): ConsoleStream;
  /** The domain is gone: takes the last output and closes every reader. */
  end(): void;
}

/** EBUSY: another reader owns the input. EPIPE: the console is gone. */
const EBUSY = 16;
const EPIPE = 32;

/** How long input waits for room before it is offered again, in milliseconds; a vuart does not tell when there is room. */
export const RETRY = 5;

interface Input {
  readonly owner: Reader;
  bytes: Uint8Array;
  readonly done: (error?: Error) => void;
}

/** Builds the host's side of a console (xenconsoled's `struct console`). `later` runs something about `RETRY` ms later. */
export function createConsole(port: ConsolePort, later: (run: () => void) => void = (run) => void setTimeout(run, RETRY)): Console {
  const history = createConsoleHistory();
  const readers = new Set<Reader>();
  let fresh: Uint8Array[] = [];
  let queue: Input[] = [];
  let writer: Reader | undefined;
  let isEnded = false;
  let isWaiting = false;

  function takeOutput(): void {
    const bytes = port.read();
    if (bytes.length === 0) return;
    history.append(bytes);
    // A guest prints a few bytes at a time: readers get them together.
    if (fresh.length === 0) queueMicrotask(deliver);
    fresh.push(bytes);
  }
  function deliver(): void {
    const pieces = fresh;
    fresh = [];
    if (pieces.length === 0 || readers.size === 0) return;
    const bytes = pieces.length === 1 ? (pieces[0] as Uint8Array) : concat(pieces);
    for (const reader of readers) reader.deliver(bytes);
  }
  function giveInput(): void {
    for (let first = queue[0]; first !== undefined; first = queue[0]) {
      first.bytes = first.bytes.subarray(port.write(first.bytes));
      if (first.bytes.length > 0) return retryInput();
      queue.shift();
      first.done();
    }
  }
  function retryInput(): void {
    if (isWaiting) return;
    isWaiting = true;
    later(() => {
      isWaiting = false;
      giveInput();
    });
  }
  function drop(reader: Reader): void {
    readers.delete(reader);
    if (writer === reader) writer = undefined;
    for (const input of queue) if (input.owner === reader) input.done(new XenCtrlError("writeConsole", EPIPE, "the console was closed"));
    queue = queue.filter((input) => input.owner !== reader);
  }
  function type(reader: Reader, bytes: Uint8Array): Promise<void> {
    if (isEnded || !readers.has(reader)) return Promise.reject(new XenCtrlError("writeConsole", EPIPE, "the console is gone"));
    writer ??= reader;
    if (writer !== reader) return Promise.reject(new XenCtrlError("writeConsole", EBUSY, "somebody else types at this console"));
    return new Promise((resolve, reject) => {
      queue.push({ owner: reader, bytes: bytes.slice(), done: (error) => (error ? reject(error) : resolve()) });
      giveInput();
    });
  }
  return {
    pump() {
      takeOutput();
      giveInput();
    },
    open() {
      takeOutput();
      deliver();
      const reader = new Reader(
        history.replay(),
        (bytes) => type(reader, bytes),
        () => drop(reader),
      );
      if (isEnded) reader.close();
      else readers.add(reader);
      return reader;
    },
    end() {
      if (isEnded) return;
      takeOutput();
      deliver();
      isEnded = true;
      for (const reader of readers) reader.close();
    },
  };
}

function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

class Reader implements ConsoleStream {
  readonly closed: Promise<void>;
  readonly #type: (bytes: Uint8Array) => Promise<void>;
  readonly #onClose: () => void;
  #waiting: Uint8Array[];
  #listener: ((bytes: Uint8Array) => void) | undefined;
  #resolveClosed: () => void = () => undefined;

  constructor(replay: Uint8Array, type: (bytes: Uint8Array) => Promise<void>, onClose: () => void) {
    this.#waiting = replay.length > 0 ? [replay] : [];
    this.#type = type;
    this.#onClose = onClose;
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve));
  }

  deliver(bytes: Uint8Array): void {
    if (this.#listener) this.#listener(bytes);
    else this.#waiting.push(bytes);
  }

  onOutput(listener: (bytes: Uint8Array) => void): void {
    this.#listener = listener;
    for (const bytes of this.#waiting.splice(0)) listener(bytes);
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#type(bytes);
  }

  close(): void {
    this.#onClose();
    this.#resolveClosed();
  }
}
