import { appendFileSync, renameSync, statSync } from "node:fs";

/** From the gravest; a log shows its own level and those before. */
export const LOG_LEVELS = ["error", "warn", "info", "debug"] as const;
/** One of them. */
export type LogLevel = (typeof LOG_LEVELS)[number];
/** One line per call, by level. */
export type Log = Readonly<Record<LogLevel, (message: string) => void>>;

/** A log file is set aside as `.1`, in place of the last one, when it has become this large, in bytes. */
const ROTATE_AT: number = 4 * 1024 * 1024;

/** A log that hands each line, with time and level, to `write`. */
export function createLog(level: LogLevel, write: (line: string) => void, now: () => Date = () => new Date()): Log {
  const emit =
    (of: LogLevel) =>
    (message: string): void => {
      if (LOG_LEVELS.indexOf(of) <= LOG_LEVELS.indexOf(level)) write(`${now().toISOString()} ${of.padEnd(5)} ${message}\n`);
    };
  return { error: emit("error"), warn: emit("warn"), info: emit("info"), debug: emit("debug") };
}

/** The host's log file, mode 0600, of at most about twice `limit` bytes with the one before; a full disk does not stop the host. */
export function openLogFile(path: string, level: LogLevel, limit: number = ROTATE_AT): Log {
  let size = sizeOf(path);
  return createLog(level, (line) => {
    try {
      if (size >= limit) {
        renameSync(path, `${path}.1`);
        size = 0;
      }
      appendFileSync(path, line, { mode: 0o600 });
      size += Buffer.byteLength(line);
    } catch {
      // Nowhere left to tell.
    }
  });
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}
