import { ERRNO } from "xen-public";
import type { Console, LogThresholds, TimestampMode } from "./console.js";
import { XenError } from "./error.js";

/** The part of the hypervisor's file system that there is (xen/common/hypfs.c): the parameters that can be changed, as texts below /params. */
export interface Hypfs {
  /** ENOENT where nothing is. */
  read(path: string): string;
  /** ENOENT where nothing is, ENOSPC for a text that is too long, EINVAL for one that the parameter does not take. */
  write(path: string, value: string): void;
}

/** A parameter of Xen's command line that can be changed later (custom_runtime_param). */
interface Param {
  read(): string;
  /** Returns 0 or a negative errno. */
  write(value: string): number;
}

/** Longest text of a parameter with its end (MAX_PARAM_SIZE). */
const MAX_PARAM_SIZE = 1024;
/** Thresholds by name; "debug" is "all". */
const LEVELS = ["none", "error", "warning", "info", "debug", "all"];
const NAMES = ["none", "error", "warning", "info", "all"];
/** What is taken where no level is named. */
const DEFAULT_LEVEL = "warning";
const ON: readonly string[] = ["yes", "on", "true", "enable", "1"];
const OFF: readonly string[] = ["no", "off", "false", "disable", "0"];
const MODES: readonly string[] = ["none", "date", "datems", "boot", "raw"] satisfies TimestampMode[];

/** `<always>[/<rate limited>]` (parse_loglvl). Xen falls back to warnings where it refuses a text; here nothing changes. */
function loglvl(thresholds: LogThresholds): Param {
  const form = new RegExp(`^(${LEVELS.join("|")})?(/(${LEVELS.join("|")})?)?$`);
  const numberOf = (name = DEFAULT_LEVEL): number => Math.min(4, LEVELS.indexOf(name));
  return {
    read: () => `${NAMES[thresholds.lower]}/${NAMES[thresholds.upper]}`,
    write(value) {
      const found = form.exec(value);
      if (found === null) return -ERRNO.EINVAL;
      const lower = numberOf(found[1]);
      thresholds.lower = lower;
      thresholds.upper = found[2] === undefined ? lower : Math.max(lower, numberOf(found[3]));
      return 0;
    },
  };
}

/** A mode; yes means date, as the boolean that it once was (parse_console_timestamps). */
function consoleTimestamps(console: Console): Param {
  return {
    read: () => console.timestamps,
    write(value) {
      const mode = value === "" || ON.includes(value) ? "date" : OFF.includes(value) ? "none" : value;
      if (!MODES.includes(mode)) return -ERRNO.EINVAL;
      console.timestamps = mode as TimestampMode;
      return 0;
    },
  };
}

/** The parameters of a hypervisor with that console. */
export function createHypfs(console: Console): Hypfs {
  const nodes = new Map<string, Param>([
    ["/params/loglvl", loglvl(console.loglvl)],
    ["/params/guest_loglvl", loglvl(console.guestLoglvl)],
    ["/params/console_timestamps", consoleTimestamps(console)],
  ]);
  const find = (path: string): Param => {
    const node = nodes.get(path);
    if (node === undefined) throw new XenError("hypfs_op", ERRNO.ENOENT);
    return node;
  };
  return {
    read: (path) => find(path).read(),
    write(path, value) {
      const node = find(path);
      const rc = value.length >= MAX_PARAM_SIZE ? -ERRNO.ENOSPC : node.write(value);
      if (rc !== 0) throw new XenError("hypfs_op", -rc);
    },
  };
}
