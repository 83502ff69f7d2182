import type { Dominfo, Libxl } from "libxl";
import { printf } from "./printf.js";
import { formatCpumap } from "./xl_info.js";
import { maskCpus } from "./xl_conf.js";
import { EXIT, findDomain, type Invocation, printJson, XlError } from "./xl_context.js";

const HEADER: string = printf("%-33s %4s %6s %4s\n", "Name", "ID", "Weight", "Cap");

interface Row {
  readonly name: string;
  readonly domid: number;
  readonly weight: number;
  readonly cap: number;
}

async function rowOf(libxl: Libxl, domid: number): Promise<Row> {
  const { weight = 0, cap = 0 } = await libxl.domainSchedParamsGet(domid);
  return { name: (await libxl.domidToName(domid)) ?? "(null)", domid, weight, cap };
}

function formatRow({ name, domid, weight, cap }: Row): string {
  return printf("%-33s %4d %6d %4d\n", name, domid, weight, cap);
}

function titleOf(pool: string, ratelimitUs: number): string {
  return printf("Cpupool %s: ratelimit=%dus\n", pool, ratelimitUs);
}

function numberOf(text: string | undefined, what: string): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw new XlError(`${what} "${text}" is not a number`);
  return Number(text);
}

/** `xl sched-credit2`: shows or sets weight and cap of a domain, or the rate limit of a pool. */
export async function schedCredit2({ xl, options }: Invocation): Promise<number> {
  const [domain, pool] = [options.value("domain"), options.value("cpupool")];
  const [weight, cap, ratelimit] = [
    numberOf(options.value("weight"), "weight"),
    numberOf(options.value("cap"), "cap"),
    numberOf(options.value("ratelimit_us"), "ratelimit"),
  ];
  const ofDomain = domain !== undefined || weight !== undefined || cap !== undefined;
  if (ofDomain && pool !== undefined) throw new XlError("a cpupool (-p) does not go with -d, -w or -c");
  if (domain === undefined && (weight !== undefined || cap !== undefined)) throw new XlError("-w and -c need a domain: -d");
  const libxl = await xl.libxl();

  if (options.has("schedparam")) {
    if (domain !== undefined) throw new XlError("-s is about a cpupool and does not go with -d");
    if (ratelimit !== undefined) {
      const poolid = pool === undefined ? 0 : await libxl.cpupoolQualifierToCpupoolid(pool);
      await libxl.schedCredit2ParamsSet(poolid, { ratelimit_us: ratelimit });
    } else if (options.has("json")) printJson(xl, await poolsAsJson(libxl, pool));
    else await eachPool(libxl, pool, (name, ratelimitUs) => xl.out(titleOf(name, ratelimitUs)));
    return EXIT.success;
  }
  if (ratelimit !== undefined) throw new XlError("-r needs -s");
  if (domain !== undefined) {
    const domid = await findDomain(xl, domain);
    if (weight !== undefined || cap !== undefined) {
      await libxl.domainSchedParamsSet(domid, { ...(weight !== undefined && { weight }), ...(cap !== undefined && { cap }) });
      return EXIT.success;
    }
    const row = await rowOf(libxl, domid);
    if (options.has("json")) printJson(xl, row);
    else xl.out(HEADER + formatRow(row));
    return EXIT.success;
  }
  const guests = (await libxl.listDomain()).filter(({ domid }) => domid !== 0);
  if (options.has("json")) {
    printJson(xl, await poolsAsJson(libxl, pool, guests));
    return EXIT.success;
  }
  await eachPool(libxl, pool, async (name, ratelimitUs, poolid) => {
    const rows = await Promise.all(guests.filter(({ cpupool }) => cpupool === poolid).map(({ domid }) => rowOf(libxl, domid)));
    xl.out(titleOf(name, ratelimitUs) + HEADER + rows.map(formatRow).join(""));
  });
  return EXIT.success;
}

/** The pools, or that one, with the guests that are in them where there are any to show. */
async function poolsAsJson(libxl: Libxl, wanted: string | undefined, guests?: readonly Dominfo[]): Promise<object[]> {
  const found: object[] = [];
  await eachPool(libxl, wanted, async (pool_name, ratelimit_us, poolid) => {
    const members = guests?.filter(({ cpupool }) => cpupool === poolid).map(({ domid }) => rowOf(libxl, domid));
    found.push({ pool_name, ratelimit_us, ...(members && { domains: await Promise.all(members) }) });
  });
  return found;
}

async function eachPool(libxl: Libxl, wanted: string | undefined, show: (name: string, ratelimit: number, poolid: number) => unknown): Promise<void> {
  const only = wanted === undefined ? undefined : await libxl.cpupoolQualifierToCpupoolid(wanted);
  for (const { poolid, pool_name, sched } of await libxl.listCpupool()) {
    if (only !== undefined && poolid !== only) continue;
    if (sched === "credit2") await show(pool_name, (await libxl.schedCredit2ParamsGet(poolid)).ratelimit_us, poolid);
  }
}

/** The CPUs of an affinity argument: undefined for "-", which leaves it as it is. */
type CpuArgument = readonly number[] | undefined;

/** `xl vcpu-pin`. */
export async function vcpuPin({ xl, options, operands }: Invocation): Promise<number> {
  const { parseCpuRange } = await import("./xl_parse.js");
  const [domain, vcpuText, hardText, softText = "-"] = operands as [string, string, string, string?];
  const libxl = await xl.libxl();
  const domid = await findDomain(xl, domain);
  const { nr_cpus: cpus } = await libxl.getPhysinfo();
  const masks = options.has("ignore-global-affinity-masks") ? [] : xl.conf.cpumasks.map((text) => parseCpuRange(text, cpus));
  const cpusOf = (text: string): CpuArgument => (text === "-" ? undefined : maskCpus(parseCpuRange(text, cpus), masks));
  if (vcpuText !== "all" && !/^\d+$/.test(vcpuText)) throw new XlError(`"${vcpuText}" is no vCPU: give its number or all`);
  const [hard, soft] = [cpusOf(hardText), cpusOf(softText)];
  if (xl.global.dryRun) {
    const shown = [hard, soft].filter((map) => map !== undefined).map((map) => formatCpumap(map, cpus));
    xl.out(`cpumap: ${shown.join(" ")}\n`);
    return EXIT.success;
  }
  const vcpus = vcpuText === "all" ? (await libxl.listVcpu(domid)).map(({ vcpuid }) => vcpuid) : [Number(vcpuText)];
  for (const vcpu of vcpus) {
    await libxl.setVcpuaffinity(domid, vcpu, { ...(hard && { hard: [...hard] }), ...(soft && { soft: [...soft] }), force: options.has("force") });
  }
  return EXIT.success;
}

/** `xl vcpu-set`. */
export async function vcpuSet({ xl, options, operands }: Invocation): Promise<number> {
  const [domain, text] = operands as [string, string];
  const libxl = await xl.libxl();
  const domid = await findDomain(xl, domain);
  if (!/^[1-9]\d*$/.test(text)) throw new XlError(`"${text}" is no number of vCPUs`);
  const wanted = Number(text);
  const [{ vcpu_online: online, vcpu_max_id }, { nr_cpus: cpus }] = [await libxl.domainInfo(domid), await libxl.getPhysinfo()];
  if (wanted > online && wanted > cpus && !options.has("ignore-host")) throw new XlError(`${wanted} vCPUs are more than the host's ${cpus}; -i insists`);
  if (wanted > vcpu_max_id + 1) throw new XlError(`the domain has only ${vcpu_max_id + 1} vCPUs`);
  await libxl.setVcpuonline(domid, wanted);
  return EXIT.success;
}
