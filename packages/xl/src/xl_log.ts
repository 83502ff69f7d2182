import type { Log, LogLevel } from "libxl";
import type { GlobalOptions } from "./xl_context.js";

const LEVELS: readonly LogLevel[] = ["debug", "verbose", "detail", "progress", "info", "notice", "warn", "error", "critical"];

/** libxl's log on standard error: from "progress" up, one level more for each -v. */
export function createLog(global: GlobalOptions, write: (line: string) => void, now: () => Date = () => new Date()): Log {
  const least = LEVELS.indexOf("progress") - global.verbosity;
  return (level, message, domid) => {
    if (LEVELS.indexOf(level) < least) return;
    const stamp = global.timestamps ? `${now().toISOString()} ${process.pid} ` : "";
    const end = level === "progress" && global.useCarriageReturn ? "\r" : "\n";
    write(`${stamp}libxl: ${level}: ${domid === undefined ? "" : `Domain ${domid}: `}${message}${end}`);
  };
}
