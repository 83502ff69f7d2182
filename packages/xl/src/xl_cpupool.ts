import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { type Cfg, type Cpupoolinfo, type Libxl, readCfg, SCHEDULER, type Scheduler } from "libxl";
import { printf } from "./printf.js";
import { EXIT, findDomain, type Invocation, printJson, type Xl, XlError } from "./xl_context.js";
import { describeCommand } from "./xl_help.js";
import { parseCpuRange } from "./xl_parse.js";

/** `xl cpupool-create`. */
export async function cpupoolCreate({ xl, command, options, operands }: Invocation): Promise<number> {
  const settings = operands.filter((operand) => operand.includes("="));
  const files = operands.filter((operand) => !operand.includes("="));
  const named = options.value("defconfig");
  if (named !== undefined) files.unshift(named);
  if (files.length > 1) {
    xl.out(describeCommand(command));
    return EXIT.failure;
  }
  const [file] = files;
  const source = file ?? "command line";
  const text = [file === undefined ? "" : readText(file), ...settings].map((line) => `${line}\n`).join("");
  const cfg = readCfg(text, { source, report: (line) => xl.err(`${line}\n`) });
  const name = cfg.getString("name") ?? (file === undefined ? undefined : basename(file));
  if (name === undefined) throw new XlError("a cpupool needs a name: give name=... or a config file");

  const libxl = await xl.libxl();
  const pools = await libxl.listCpupool();
  if (pools.some(({ pool_name }) => pool_name === name)) throw new XlError(`Pool name "${name}" already exists`);
  const sched = schedulerOf(cfg, pools);
  const cpumap = await cpusOf(cfg, libxl);
  xl.out(`Using config file "${source}"\ncpupool name:   ${name}\nscheduler:      ${sched}\nnumber of cpus: ${cpumap.length}\n`);
  if (!options.has("dryrun") && !xl.global.dryRun) await libxl.cpupoolCreate({ name, sched, cpumap });
  return EXIT.success;
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new XlError(`cannot read the config file ${file}: ${(error as Error).message}`);
  }
}

/** What the config says, else what pool 0 has. */
function schedulerOf(cfg: Cfg, pools: readonly Cpupoolinfo[]): Scheduler {
  const wanted = cfg.getString("sched");
  if (wanted === undefined) return pools[0]?.sched ?? "credit2";
  if (!Object.hasOwn(SCHEDULER, wanted)) throw new XlError(`Unknown scheduler "${wanted}"`);
  return wanted as Scheduler;
}

/** The free CPUs that nodes= or cpus= name. */
async function cpusOf(cfg: Cfg, libxl: Libxl): Promise<number[]> {
  const [free, { nr_cpus: nrCpus }] = await Promise.all([libxl.getFreecpus(), libxl.getPhysinfo()]);
  if (cfg.has("nodes")) {
    // All CPUs are in node 0.
    const found = (cfg.getList("nodes") ?? []).some((node) => Number(node) === 0) ? free : [];
    if (found.length === 0) throw new XlError("no free cpu found");
    return found;
  }
  const cpus = cfg.getListOrString("cpus") ?? [];
  const wanted = typeof cpus === "string" ? parseCpuRange(cpus, nrCpus) : cpus.flatMap((cpu) => parseCpuRange(cpu ?? "", nrCpus));
  const taken = wanted.find((cpu) => !free.includes(cpu));
  if (taken !== undefined) throw new XlError(`cpu ${taken} illegal or not free`);
  return [...new Set(wanted)];
}

/** `xl cpupool-list`. */
export async function cpupoolList({ xl, options, operands }: Invocation): Promise<number> {
  const libxl = await xl.libxl();
  const only = operands[0] === undefined ? undefined : await libxl.cpupoolQualifierToCpupoolid(operands[0]);
  const pools = (await libxl.listCpupool()).filter(({ poolid }) => only === undefined || poolid === only);
  if (options.has("json")) {
    printJson(xl, pools);
    return EXIT.success;
  }
  xl.out(printf("%-19s", "Name") + (options.has("cpus") ? "CPU list\n" : "CPUs   Sched     Active   Domain count\n"));
  for (const { pool_name, cpumap, sched, n_dom } of pools) {
    const rest = options.has("cpus") ? cpumap.join(",") : printf("%3d %9s       y       %4d", cpumap.length, sched, n_dom);
    xl.out(`${printf("%-19s", pool_name)}${rest}\n`);
  }
  return EXIT.success;
}

/** `xl cpupool-destroy`. */
export async function cpupoolDestroy({ xl, operands }: Invocation): Promise<number> {
  const libxl = await xl.libxl();
  await libxl.cpupoolDestroy(await libxl.cpupoolQualifierToCpupoolid(operands[0] as string));
  return EXIT.success;
}

/** `xl cpupool-rename`. */
export async function cpupoolRename({ xl, operands }: Invocation): Promise<number> {
  const [pool, name] = operands as [string, string];
  const libxl = await xl.libxl();
  await libxl.cpupoolRename(name, await libxl.cpupoolQualifierToCpupoolid(pool));
  return EXIT.success;
}

/** Does something with each CPU of a list; what fails is told, and does not change the exit code, as in Xen. Gives whether all went well. */
async function eachCpu({ xl, operands }: Invocation, change: (libxl: Libxl, poolid: number, cpu: number) => Promise<void>): Promise<boolean> {
  const [pool, text] = operands as [string, string];
  const libxl = await xl.libxl();
  const cpus = parseCpuRange(text, (await libxl.getPhysinfo()).nr_cpus);
  const poolid = await libxl.cpupoolQualifierToCpupoolid(pool);
  return attempt(xl, cpus, (cpu) => change(libxl, poolid, cpu));
}

async function attempt(xl: Xl, cpus: readonly number[], change: (cpu: number) => Promise<void>): Promise<boolean> {
  let failures = 0;
  for (const cpu of cpus) {
    await change(cpu).catch((error: unknown) => {
      failures++;
      xl.tell(error);
    });
  }
  return failures === 0;
}

/** `xl cpupool-cpu-add`. */
export async function cpupoolCpuAdd(invocation: Invocation): Promise<number> {
  const isDone = await eachCpu(invocation, (libxl, poolid, cpu) => libxl.cpupoolCpuadd(poolid, cpu));
  if (!isDone) invocation.xl.err(`some cpus may not have been added to ${invocation.operands[0]}\n`);
  return EXIT.success;
}

/** `xl cpupool-cpu-remove`. */
export async function cpupoolCpuRemove(invocation: Invocation): Promise<number> {
  const isDone = await eachCpu(invocation, (libxl, poolid, cpu) => libxl.cpupoolCpuremove(poolid, cpu));
  if (!isDone) invocation.xl.err(`some cpus may not have been removed from ${invocation.operands[0]}\n`);
  return EXIT.success;
}

/** `xl cpupool-migrate`. */
export async function cpupoolMigrate({ xl, operands }: Invocation): Promise<number> {
  const [domain, pool] = operands as [string, string];
  const domid = await findDomain(xl, domain);
  const libxl = await xl.libxl();
  await libxl.cpupoolMovedomain(await libxl.cpupoolQualifierToCpupoolid(pool), domid);
  return EXIT.success;
}

/** `xl cpupool-numa-split`: the one node gets pool 0, with all CPUs that are free. */
export async function cpupoolNumaSplit({ xl }: Invocation): Promise<number> {
  const libxl = await xl.libxl();
  if ((await libxl.listCpupool()).length > 1) throw new XlError("splitting not possible, already cpupools in use");
  await attempt(xl, await libxl.getFreecpus(), (cpu) => libxl.cpupoolCpuadd(0, cpu));
  await libxl.cpupoolRename("Pool-node0", 0);
  return EXIT.success;
}
