import { packStrings, type XsErrorCode } from "xenstore";
import type { Connection } from "./connection.js";
import type { Core } from "./core.js";
import { canonicalize, type Path } from "./path.js";
import type { Transaction } from "./transaction.js";
import type { View } from "./view.js";

/** A message as its handler sees it. */
export interface Request {
  readonly core: Core;
  readonly connection: Connection;
  readonly payload: Uint8Array;
  /** The payload's strings, each of which ends with a NUL; what is behind the last NUL is left out. */
  readonly strings: readonly string[];
  /** Where nodes are read and written; committed (or merged into the transaction) if the handler succeeds. */
  readonly view: View;
  readonly transaction: Transaction | undefined;
  /** Has `work` done behind the reply. */
  afterReply(work: () => void): void;
}

/** The payload of the reply, or the name of an error. */
export type Answer = Uint8Array | XsErrorCode;

/** Answers one type of message: checks in the order in which xenstored does them. */
export type Handler = (request: Request) => Answer;

/** The reply of requests that have nothing to tell. */
export const OK: Uint8Array = packStrings("OK");

/** The payload if it is exactly one string. */
export function onlyString({ payload, strings }: Request): string | undefined {
  return strings.length === 1 && payload.at(-1) === 0 ? strings[0] : undefined;
}

/** The path that a string stands for in this connection. */
export function pathOf({ connection }: Request, text: string | undefined, allowSpecial = false): Path | undefined {
  const { isPrivileged, quotas } = connection.domain.account;
  const maxLength = isPrivileged || quotas["path-max"] === 0 ? Infinity : quotas["path-max"];
  return text === undefined ? undefined : canonicalize(text, { base: connection.base, maxLength, allowSpecial });
}

/** A domain id in decimal, 0 to 65535. */
export function parseDomid(text: string | undefined): number | undefined {
  return parseUnsigned(text, 0xffff);
}

/** An unsigned decimal up to `max`. */
export function parseUnsigned(text: string | undefined, max = 0xffff_fffe): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) && Number(text) <= max ? Number(text) : undefined;
}
