/**
 * libxl's public constants (tools/include/libxl.h) and its error class.
 *
 * LIBXL_HAVE notes for this implementation:
 * - `domainResume` is there on Arm (Xen a3971271ec); `domainSuspend` (save) and Remus are not.
 * - A guest that has never used xenstore is not asked through it: NOPARAVIRT comes at once, where Xen waits for a minute.
 * @module
 */

/** libxl's error codes (libxl_types.idl, `libxl_error`). */
export const ERROR = {
  NONSPECIFIC: -1,
  VERSION: -2,
  FAIL: -3,
  NI: -4,
  NOMEM: -5,
  INVAL: -6,
  BADFAIL: -7,
  GUEST_TIMEDOUT: -8,
  TIMEDOUT: -9,
  NOPARAVIRT: -10,
  NOT_READY: -11,
  OSEVENT_REG_FAIL: -12,
  BUFFERFULL: -13,
  UNKNOWN_CHILD: -14,
  LOCK_FAIL: -15,
  JSON_CONFIG_EMPTY: -16,
  DEVICE_EXISTS: -17,
  DOMAIN_NOTFOUND: -21,
  ABORTED: -22,
  NOTFOUND: -23,
  DOMAIN_DESTROYED: -24,
  FEATURE_REMOVED: -25,
} as const;

/** The name of a libxl error, as in `ERROR_INVAL` without the prefix. */
export type ErrorName = keyof typeof ERROR;

/** The number of a libxl error. */
export type ErrorCode = (typeof ERROR)[ErrorName];

/** What libxl's functions reject with. The message says what was wrong, with the value, and what to do about it. */
export class LibxlError extends Error {
  override readonly name = "LibxlError";
  /** libxl's own number, -6 for INVAL and so on. `xl create` exits with its opposite. */
  readonly code: ErrorCode;
  /** The domain that the call was about, when there is one. */
  readonly domid: number | undefined;
  constructor(code: ErrorName, message: string, options: { readonly cause?: unknown; readonly domid?: number | undefined } = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = ERROR[code];
    this.domid = options.domid;
  }
}

/** True for a libxl error, optionally of one code. */
export function isLibxlError(error: unknown, code?: ErrorName): error is LibxlError {
  return error instanceof LibxlError && (code === undefined || error.code === ERROR[code]);
}

/** Scheduler ids (`libxl_scheduler`). */
export const SCHEDULER = { unknown: 0, sedf: 4, credit: 5, credit2: 6, arinc653: 7, rtds: 8, null: 9 } as const;

/** A scheduler's name. */
export type Scheduler = keyof typeof SCHEDULER;

/** `libxl_shutdown_reason`: why a domain was shut down, with the hypervisor's number; `unknown` unless it is shut down. */
export const SHUTDOWN_REASON = { unknown: -1, poweroff: 0, reboot: 1, suspend: 2, crash: 3, watchdog: 4, soft_reset: 5 } as const;

/** The name of a shutdown reason. */
export type ShutdownReason = keyof typeof SHUTDOWN_REASON;

/** `libxl_action_on_shutdown`: what a monitor does when a domain ends. xl.cfg spells them with `-`, and `restart_rename` as `rename-restart`. */
export const ACTION_ON_SHUTDOWN = {
  destroy: 1,
  restart: 2,
  restart_rename: 3,
  preserve: 4,
  coredump_destroy: 5,
  coredump_restart: 6,
  soft_reset: 7,
} as const;

/** The name of an action. */
export type ActionOnShutdown = keyof typeof ACTION_ON_SHUTDOWN;

/** `libxl_trigger`. */
export const TRIGGER = { unknown: 0, power: 1, sleep: 2, nmi: 3, init: 4, reset: 5, s3resume: 6 } as const;

/** The name of a trigger. */
export type Trigger = keyof typeof TRIGGER;

/** `libxl_domain_type`. On Arm every guest is `pvh`; `pv` is turned into it. */
export type DomainType = "hvm" | "pv" | "pvh" | "invalid";

/** A level of Xen's tool log, quiet to loud. */
export type LogLevel = "debug" | "verbose" | "detail" | "progress" | "info" | "notice" | "warn" | "error" | "critical";

/** Where libxl's log lines go. `domid` is the domain that a line is about, so that a caller can print Xen's `Domain 3:`. */
export type Log = (level: LogLevel, message: string, domid?: number) => void;
