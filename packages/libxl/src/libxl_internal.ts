import { type ErrorName, LibxlError, type Log } from "./include/libxl.js";
import type { Xs } from "xenstore";
import type { Within } from "./within.js";
import { type XenCtrl, XenCtrlError } from "./xenctrl.js";

/** What every part of libxl is handed (libxl__ctx): the hypervisor and the world. */
export interface Ctx {
  readonly ctrl: XenCtrl;
  /** The connection to xenstored, made at its first use. */
  readonly xs: () => Promise<Xs>;
  readonly log: Log;
  readonly readFile: (path: string) => Promise<Uint8Array>;
  /** Size and first bytes of a file that the hypervisor's host can read by itself; undefined for one that it cannot. */
  readonly peekFile: (path: string) => Promise<{ readonly size: number; readonly head: Uint8Array } | undefined>;
  readonly gunzip: (bytes: Uint8Array, limit: number) => Promise<Uint8Array>;
  readonly now: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
  /** Milliseconds that a guest has to answer what it is asked through xenstore. */
  readonly guestTimeout: number;
  readonly within: Within;
}

/** Runs a call to the hypervisor, told at level debug; its refusal is logged and thrown as `code` (FAIL by default). `what` is a verb phrase. */
export async function call<T>(ctx: Ctx, what: string, domid: number | undefined, promise: Promise<T>, code: ErrorName = "FAIL"): Promise<T> {
  ctx.log("debug", what, domid);
  try {
    return await promise;
  } catch (cause) {
    throw fail(ctx, code, `cannot ${what}: ${reason(cause)}`, { cause, domid });
  }
}

/** Logs an error and makes the exception of it. */
export function fail(ctx: Ctx, code: ErrorName, message: string, options: { readonly cause?: unknown; readonly domid?: number | undefined } = {}): LibxlError {
  ctx.log("error", message, options.domid);
  return new LibxlError(code, message, options);
}

/** What a hypervisor's errno means to a user. */
const ERRNO_TEXT: Readonly<Record<number, string>> = {
  1: "not permitted",
  2: "there is no such thing",
  3: "no such domain",
  11: "busy, try again",
  12: "out of memory",
  16: "busy",
  17: "already exists",
  19: "no such CPU, or none is free",
  22: "invalid argument",
  28: "no space left",
  38: "not implemented by this hypervisor",
  61: "no data",
  75: "too many",
  95: "not supported",
  98: "in use",
  99: "not there, or on its way",
};

/** An error's text. A refusal of the hypervisor is told in its own words where it has any, else in those of its errno. */
export function reason(error: unknown): string {
  const detail = error instanceof XenCtrlError ? /^\w+: errno \d+ \((.*)\)$/.exec(error.message)?.[1] : undefined;
  if (detail !== undefined) return detail;
  if (error instanceof XenCtrlError) return `${ERRNO_TEXT[error.errno] ?? "refused"} (${error.message})`;
  return error instanceof Error ? error.message : String(error);
}

/** True for a refusal with that errno. */
export function isErrno(error: unknown, errno: number): boolean {
  return error instanceof XenCtrlError && error.errno === errno;
}
