import type { Xs, XsErrorCode, XsNodes, XsStream } from "./xs-types.js";
import { XsError } from "./xs-types.js";

/** What a command needs of the system. */
export interface ClientIo {
  /** Standard output: one character a byte. */
  out(text: string): void;
  /** Standard error. */
  error(text: string): void;
  /** Columns of the terminal that standard output is; undefined if it is none. */
  readonly columns: number | undefined;
  /** Connects to xenstored; throws the system's error. */
  connect(): Promise<XsStream>;
}

/** A command as it runs. */
export interface ClientContext {
  readonly xs: Xs;
  /** Nodes inside the command's transaction, if it has one. */
  readonly nodes: XsNodes;
  /** The options given, by letter, with their arguments. */
  readonly options: ReadonlyMap<string, string>;
  readonly operands: readonly string[];
  readonly columns: number | undefined;
  out(text: string): void;
  /** A line on standard error, behind the command's name. */
  warn(line: string): void;
}

/** Ends the command with a line on standard error and exit code 1. */
export class ClientError extends Error {
  override readonly name = "ClientError";
}

/** The C library's text for what went wrong (strerror), as the C tools print it. */
export function errorText(error: unknown): string {
  const code = error instanceof XsError ? error.code : (error as { code?: unknown }).code;
  return typeof code === "string" && Object.hasOwn(TEXTS, code) ? TEXTS[code as keyof typeof TEXTS] : (error as Error).message;
}

const TEXTS: Record<XsErrorCode | "ECONNREFUSED", string> = {
  EINVAL: "Invalid argument",
  EACCES: "Permission denied",
  EEXIST: "File exists",
  EISDIR: "Is a directory",
  ENOENT: "No such file or directory",
  ENOMEM: "Cannot allocate memory",
  ENOSPC: "No space left on device",
  EIO: "Input/output error",
  ENOTEMPTY: "Directory not empty",
  ENOSYS: "Function not implemented",
  EROFS: "Read-only file system",
  EBUSY: "Device or resource busy",
  EAGAIN: "Resource temporarily unavailable",
  EISCONN: "Transport endpoint is already connected",
  E2BIG: "Argument list too long",
  EPERM: "Operation not permitted",
  ECONNREFUSED: "Connection refused",
};

/** The result, or null if xenstored refuses; a conflict goes on to the transaction, which begins again. */
export async function orNull<T>(result: Promise<T>): Promise<T | null> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof XsError && error.code !== "EAGAIN") return null;
    throw error;
  }
}

/** True if xenstored does it. */
export async function succeeds(result: Promise<unknown>): Promise<boolean> {
  return (await orNull(result.then(() => true))) ?? false;
}
