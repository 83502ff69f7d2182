import { readStruct, packStruct, XENSTORE_PAYLOAD_MAX, XS, XSD_SOCKMSG } from "xen-public";

/** One message of the xenstore protocol. `type`, `reqId` and `txId` are 32-bit; see docs/misc/xenstore.txt for the payloads. */
export interface XsMessage {
  readonly type: number;
  readonly reqId: number;
  readonly txId: number;
  readonly payload: Uint8Array;
}

/** The bytes of a message: header and payload. */
export function encodeMessage({ type, reqId, txId, payload }: XsMessage): Uint8Array {
  const bytes = new Uint8Array(XSD_SOCKMSG.size + payload.length);
  bytes.set(packStruct(XSD_SOCKMSG, { type, req_id: reqId, tx_id: txId, len: payload.length }));
  bytes.set(payload, XSD_SOCKMSG.size);
  return bytes;
}

/** The peer sent a header whose `len` exceeds XENSTORE_PAYLOAD_MAX: nothing behind it can be understood. */
export class XsProtocolError extends Error {
  override readonly name = "XsProtocolError";
}

/** Cuts a byte stream into messages. Holds at most one message. */
export class XsMessageReader {
  readonly #header: Uint8Array = new Uint8Array(XSD_SOCKMSG.size);
  #payload: Uint8Array | undefined;
  #filled = 0;

  /** Bytes that may be taken from the stream without touching the message after the current one. */
  get wanted(): number {
    return (this.#payload ?? this.#header).length - this.#filled;
  }

  /** True if a message has begun and is not complete. */
  get isInside(): boolean {
    return this.#payload !== undefined || this.#filled > 0;
  }

  /** Takes the stream's next bytes and yields the messages that they complete. Throws XsProtocolError at a payload that is too long. */
  *read(bytes: Uint8Array): Generator<XsMessage> {
    for (let at = 0; at < bytes.length; ) {
      const part = this.#payload ?? this.#header;
      const count = Math.min(this.wanted, bytes.length - at);
      part.set(bytes.subarray(at, at + count), this.#filled);
      at += count;
      this.#filled += count;
      const message = this.#advance();
      if (message) yield message;
    }
  }

  /** Forgets the message that has begun. */
  reset(): void {
    this.#payload = undefined;
    this.#filled = 0;
  }

  #advance(): XsMessage | undefined {
    if (this.wanted > 0) return undefined;
    const { type, req_id: reqId, tx_id: txId, len } = readStruct(XSD_SOCKMSG, this.#header);
    if (this.#payload === undefined) {
      if (len > XENSTORE_PAYLOAD_MAX) throw new XsProtocolError(`a payload of ${len} bytes: at most ${XENSTORE_PAYLOAD_MAX} are allowed`);
      this.#payload = new Uint8Array(len);
      this.#filled = 0;
      if (len > 0) return undefined;
    }
    const payload = this.#payload;
    this.reset();
    return { type, reqId, txId, payload };
  }
}

/** The text of bytes, one character a byte (ISO 8859-1): loses nothing, whatever a guest has written. */
export function bytesToText(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 1024) text += String.fromCharCode(...bytes.subarray(at, at + 1024));
  return text;
}

/** The bytes of a text whose characters are bytes. Characters above U+00FF lose their upper bits. */
export function textToBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** A payload of strings, each with its NUL. */
export function packStrings(...strings: readonly string[]): Uint8Array {
  return textToBytes(strings.map((text) => `${text}\0`).join(""));
}

/** The strings of a payload, each of which ends with a NUL; bytes behind the last NUL are the last string. */
export function unpackStrings(payload: Uint8Array): string[] {
  const strings = bytesToText(payload).split("\0");
  if (strings.at(-1) === "") strings.pop();
  return strings;
}

/** The name of a message type: "READ"; "type 77" for a number that has none. */
export function messageTypeName(type: number): string {
  return Object.entries(XS).find(([, number]) => number === type)?.[0] ?? `type ${type}`;
}
