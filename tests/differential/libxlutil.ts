import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import koffi, { type LibraryHandle } from "koffi";

/** What a reader of xl.cfg made of a text: its complaints, and each name's value as every kind. */
export interface CfgReading {
  /** Lines about the text, without line ends. */
  readonly errors: readonly string[];
  /** Nothing if the text was refused. */
  readonly values?: Readonly<Record<string, CfgKinds>>;
  /** Lines that came with the values. */
  readonly warnings: readonly string[];
}

/** One name's value, as far as it can be had as each kind. */
export interface CfgKinds {
  readonly string?: string;
  /** Rounded to a double beyond 2^53, as ours. */
  readonly long?: number;
  readonly list?: CfgTree[];
}

/** An item of a list: a string, or a list in it. */
export type CfgTree = string | CfgTree[];

/** The name that stands for the file in each line. */
export const SOURCE = "x.cfg";

/** Xen's libxlutil, called in this process. */
export interface LibxlutilOracle {
  /** Reads a text, and then the values of `names`. */
  read(text: string, names: Iterable<string>): CfgReading;
  close(): void;
}

/** Loads libxlutil from among `libraries` (guests' `findLibxlutil`). Throws an Error with the loader's words where that fails. */
export function loadLibxlutil(libraries: readonly string[]): LibxlutilOracle {
  const lib = loadInOrder(libraries, "libxlutil.so");
  const libc = koffi.load("libc.so.6");
  const fopen = libc.func("void *fopen(const char *, const char *)");
  const fflush = libc.func("int fflush(void *)");
  const fclose = libc.func("int fclose(void *)");
  const init = lib.func("void *xlu_cfg_init(void *, const char *)");
  const destroy = lib.func("void xlu_cfg_destroy(void *)");
  const readdata = lib.func("int xlu_cfg_readdata(void *, const void *, int)");
  const getString = lib.func("int xlu_cfg_get_string(void *, const char *, _Out_ const char **, int)");
  const getLong = lib.func("int xlu_cfg_get_long(void *, const char *, _Out_ int64_t *, int)");
  const getList = lib.func("int xlu_cfg_get_list(void *, const char *, _Out_ void **, _Out_ int *, int)");
  const itemOf = lib.func("void *xlu_cfg_get_listitem2(void *, int)");
  const stringOf = lib.func("int xlu_cfg_value_get_string(void *, void *, _Out_ const char **, bool)");
  const listOf = lib.func("int xlu_cfg_value_get_list(void *, void *, _Out_ void **, bool)");

  const folder = mkdtempSync(join(tmpdir(), "libxlutil-"));
  const report = join(folder, "report");
  closeSync(openSync(report, "w"));
  const stream: unknown = fopen(report, "a");

  /** The lines that were reported since the last call. */
  function reported(): string[] {
    fflush(stream);
    const lines = readFileSync(report, "utf8").split("\n");
    truncateSync(report);
    return lines.slice(0, -1);
  }

  function tree(config: unknown, list: unknown): CfgTree[] {
    const items: CfgTree[] = [];
    for (let item: unknown; (item = itemOf(list, items.length)); ) {
      const string = place<string>();
      const inner = place();
      items.push(stringOf(config, item, string, true) === 0 ? (string[0] as string) : (listOf(config, item, inner, true), tree(config, inner[0])));
    }
    return items;
  }

  function kinds(config: unknown, name: string): CfgKinds {
    const string = place<string>();
    const long = place<number | bigint>();
    const list = place();
    const hasString = getString(config, name, string, 0) === 0;
    const hasLong = getLong(config, name, long, 0) === 0;
    const hasList = getList(config, name, list, place(), 0) === 0;
    return {
      ...(hasString && { string: string[0] as string }),
      ...(hasLong && { long: Number(long[0]) }),
      ...(hasList && { list: tree(config, list[0]) }),
    };
  }

  return {
    read(text, names) {
      const config: unknown = init(stream, SOURCE);
      try {
        const data = Buffer.from(text, "utf8");
        const isRefused = readdata(config, data, data.length) !== 0;
        const errors = reported();
        if (isRefused) return { errors, warnings: [] };
        const values = Object.fromEntries(Array.from(names, (name) => [name, kinds(config, name)]));
        return { errors, values, warnings: reported() };
      } finally {
        destroy(config);
      }
    },
    close() {
      fclose(stream);
      rmSync(folder, { recursive: true });
    },
  };
}

/** Where a C function puts a result. */
function place<T = unknown>(): [T | null] {
  return [null];
}

/** Loads all, each behind those that it needs: the loader takes a library that is there already by its name, wherever it came from. */
function loadInOrder(libraries: readonly string[], wanted: string): LibraryHandle {
  let found: LibraryHandle | undefined;
  for (let left = libraries; left.length > 0; ) {
    let reason: unknown;
    const failed = left.filter((path) => {
      try {
        const library = koffi.load(path);
        if (basename(path).startsWith(wanted)) found = library;
        return false;
      } catch (error) {
        reason = error;
        return true;
      }
    });
    if (failed.length === left.length) throw reason as Error;
    left = failed;
  }
  if (found === undefined) throw new Error(`${wanted} is not among the libraries`);
  return found;
}
