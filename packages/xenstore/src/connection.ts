import { XENSTORE_PAYLOAD_MAX, XS, XSD_ERRORS } from "xen-public";
import { encodeMessage, messageTypeName, unpackStrings, type XsMessage, XsMessageReader } from "./wire.js";
import { XsError, type XsErrorCode, type XsStream } from "./xs-types.js";

/** What a request is about. */
export interface XsRequest {
  /** XS.READ, ... */
  readonly type: number;
  readonly payload: Uint8Array;
  /** The transaction that it belongs to; 0 for none. */
  readonly txId?: number;
}

interface Waiting {
  readonly request: XsRequest;
  resolve(payload: Uint8Array): void;
  reject(error: XsError): void;
}

/** Requests and their replies, and events, over one byte stream. */
export class XsConnection {
  /** Resolves when the stream has ended. */
  readonly closed: Promise<void>;
  readonly #stream: XsStream;
  readonly #reader: XsMessageReader = new XsMessageReader();
  readonly #waiting: Map<number, Waiting> = new Map();
  readonly #onEvent: (path: string, token: string) => void;
  #lastId = 0;
  #isClosed = false;

  /** `onEvent` gets the path and the token of each event. */
  constructor(stream: XsStream, onEvent: (path: string, token: string) => void) {
    this.#stream = stream;
    this.#onEvent = onEvent;
    this.closed = new Promise((resolve) => {
      stream.onClose(() => {
        this.#end();
        resolve();
      });
    });
    stream.onData((bytes) => this.#receive(bytes));
  }

  /** Sends a request; resolves with the payload of its reply, and rejects with XsError. */
  request(request: XsRequest): Promise<Uint8Array> {
    const { type, payload, txId = 0 } = request;
    if (this.#isClosed) return Promise.reject(lost(request));
    if (payload.length > XENSTORE_PAYLOAD_MAX) {
      return Promise.reject(new XsError("E2BIG", `${describe(request)}: ${payload.length} bytes; a request has at most ${XENSTORE_PAYLOAD_MAX}`));
    }
    this.#lastId = (this.#lastId + 1) >>> 0;
    const reqId = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(reqId, { request, resolve, reject });
      this.#stream.write(encodeMessage({ type, reqId, txId, payload }));
    });
  }

  close(): void {
    this.#stream.close();
    this.#end();
  }

  #receive(bytes: Uint8Array): void {
    try {
      for (const message of this.#reader.read(bytes)) this.#dispatch(message);
    } catch {
      this.close(); // A server that breaks the protocol cannot be understood any more.
    }
  }

  #dispatch({ type, reqId, payload }: XsMessage): void {
    if (type === XS.WATCH_EVENT) {
      const [path = "", token = ""] = unpackStrings(payload);
      return this.#onEvent(path, token);
    }
    const waiting = this.#waiting.get(reqId);
    if (waiting === undefined) return;
    this.#waiting.delete(reqId);
    if (type !== XS.ERROR) return waiting.resolve(payload);
    const sent = unpackStrings(payload)[0];
    const code: XsErrorCode = XSD_ERRORS.find((name) => name === sent) ?? "EINVAL";
    waiting.reject(new XsError(code, `${describe(waiting.request)}: ${code}`));
  }

  #end(): void {
    this.#isClosed = true;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { request, reject } of waiting) reject(lost(request));
  }
}

function lost(request: XsRequest): XsError {
  return new XsError("EIO", `${describe(request)}: the connection to xenstored has ended`);
}

/** "READ /local/domain/1/name". */
function describe({ type, payload }: XsRequest): string {
  return `${messageTypeName(type)} ${unpackStrings(payload)[0] ?? ""}`.trimEnd();
}
