import { appendFileSync, renameSync, statSync } from "node:fs";

/** From the gravest; a log shows its own level and those before. */
export const LOG_LEVELS = ["error", "warn", "info", "debug"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
/** One line per call, by level. */
export type Log = Readonly<Record<LogLevel, (message: string) => void>>;

/** A log file is set aside as `.1` when it is larger than this at the host's start, in bytes. */
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

/** The host's log file, mode 0600; a full disk does not stop the host. */
export function openLogFile(path: string, level: LogLevel): Log {
  try {
    if (statSync(path).size > ROTATE_AT) renameSync(path, `${path}.1`);
  } catch {
    // There is none yet.
  }
  return createLog(level, (line) => {
    try {
      appendFileSync(path, line, { mode: 0o600 });
    } catch {
      // Nowhere left to tell.
    }
  });
}
