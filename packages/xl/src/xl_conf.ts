import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Cfg, DomainConfig } from "libxl";
import { XlError } from "./xl_context.js";

type Environment = Readonly<Record<string, string | undefined>>;

/** What xl.conf sets for all domains (xl.conf(5)); a key that is absent changes nothing. */
export interface GlobalConfig {
  readonly max_grant_frames?: number;
  readonly max_maptrack_frames?: number;
  readonly max_grant_version?: number;
  readonly claim_mode?: boolean;
  /** CPUs that guests may run on, as xl.cfg's `cpus` spells them; both masks hold where there are two. */
  readonly cpumasks: readonly string[];
}

const NUMBERS = ["max_grant_frames", "max_maptrack_frames", "max_grant_version"] as const;
/** Masks that hold for a PVH guest: all guests', and those of guests with hardware virtualisation. */
const MASKS = ["vm.cpumask", "vm.hvm.cpumask"] as const;

/** Where xl.conf is looked for, the first that exists: `XL_CONF`, the user's own, the system's. */
function paths(env: Environment): string[] {
  if (env["XL_CONF"] !== undefined) return [env["XL_CONF"]];
  return [join(env["XDG_CONFIG_HOME"] ?? join(homedir(), ".config"), "xen/xl.conf"), "/etc/xen/xl.conf"];
}

/** Reads xl.conf. A file that cannot be read is only told; errors in it end xl with exit 1, as Xen's. */
export async function readGlobalConfig(env: Environment, report: (line: string) => void): Promise<GlobalConfig> {
  for (const path of paths(env)) {
    let text: string;
    try {
      text = readFileSync(path, "utf8");
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== "ENOENT" || env["XL_CONF"] !== undefined) report(`xl: cannot read ${path}: ${message}`);
      continue;
    }
    return parse(path, text, report);
  }
  return { cpumasks: [] };
}

async function parse(source: string, text: string, report: (line: string) => void): Promise<GlobalConfig> {
  // Loaded late: most runs have no xl.conf.
  const { readCfg } = await import("libxl");
  let cfg: Cfg;
  try {
    cfg = readCfg(text, { source, report });
  } catch (error) {
    throw new XlError((error as Error).message);
  }
  const numbers = NUMBERS.flatMap((key) => {
    const value = cfg.getLong(key);
    return value === undefined ? [] : [[key, value] as const];
  });
  const claim = cfg.getLong("claim_mode");
  const format = cfg.getString("output_format");
  if (format !== undefined && format !== "json") throw new XlError(`${source}: output_format "${format}" is not there: json is`);
  return {
    ...Object.fromEntries(numbers),
    ...(claim !== undefined && { claim_mode: claim !== 0 }),
    cpumasks: MASKS.flatMap((key) => cfg.getString(key) ?? []),
  };
}

/** Puts xl.conf's values where the domain's own config has none. */
export function applyGlobalConfig(config: DomainConfig, { cpumasks: _cpumasks, ...values }: GlobalConfig): DomainConfig {
  return { ...config, b_info: { ...values, ...config.b_info } };
}

/** The CPUs of `cpus` that every mask holds too; exit 1 where none is left (apply_global_affinity_masks). */
export function maskCpus(cpus: readonly number[], masks: readonly (readonly number[])[]): number[] {
  const left = cpus.filter((cpu) => masks.every((mask) => mask.includes(cpu)));
  if (left.length === 0) throw new XlError(`CPUs ${cpus.join(",")}: the masks of xl.conf leave none of them; -i ignores the masks`);
  return left;
}
