import { packStrings } from "xenstore";
import type { Core } from "./core.js";
import { isQuotaName, QUOTA_ITEMS, XS_QUOTAS, type XsQuotaItem, type XsQuotaName } from "./quota.js";
import { type Answer, OK, parseDomid, parseUnsigned, type Request } from "./request.js";

/** A control command (xenstore-control): what it takes, and what it answers. */
interface Command {
  readonly parameters: string;
  run(core: Core, parameters: readonly string[]): Answer;
}

/** The commands by name. live-update, logfile and memreport have no meaning in a library: it has no binary, no files, no allocator. */
const COMMANDS: Readonly<Record<string, Command>> = {
  check: { parameters: "", run: (core, parameters) => (parameters.length > 0 ? "EINVAL" : check(core)) },
  log: { parameters: "[on|off|+<switch>|-<switch>]", run: log },
  print: { parameters: "<string>", run: print },
  quota: { parameters: "[set <name> <val>|<domid>|max [-r]]", run: quota },
  "quota-soft": { parameters: "[set <name> <val>]", run: quotaSoft },
  help: { parameters: "", run: (_core, parameters) => (parameters.length > 0 ? "EINVAL" : help()) },
};

/** CONTROL: runs one of the commands. */
export function control({ core, strings }: Request): Answer {
  const [name = "", ...parameters] = strings;
  return Object.hasOwn(COMMANDS, name) ? (COMMANDS[name] as Command).run(core, parameters) : "EINVAL";
}

function check(core: Core): Answer {
  for (const line of core.check()) core.log(`check: ${line}`);
  return OK;
}

/** The only switch is "io": each message that comes or goes. */
function log(core: Core, parameters: readonly string[]): Answer {
  const [what] = parameters;
  if (what === undefined) return packStrings(`Log switch settings:\n${"io".padEnd(8)}: ${core.isTracing ? "on" : "off"}\n`);
  if (parameters.length > 1 || !["on", "off", "+io", "-io"].includes(what)) return "EINVAL";
  core.isTracing = what === "on" || what === "+io";
  return OK;
}

function print(core: Core, parameters: readonly string[]): Answer {
  if (parameters.length !== 1) return "EINVAL";
  core.log(`control: ${parameters[0]}`);
  return OK;
}

function help(): Answer {
  return packStrings(
    Object.entries(COMMANDS)
      .map(([name, { parameters }]) => `${name.padEnd(15)} ${parameters}\n`)
      .join(""),
  );
}

function quota(core: Core, parameters: readonly string[]): Answer {
  const [what, ...rest] = parameters;
  if (what === undefined) return showQuotas(core, (item) => item);
  if (what === "set") return setQuota(core, rest, (name) => name);
  if (what === "max") return showMost(core, rest);
  const domid = parseDomid(what);
  if (domid === undefined || rest.length > 0) return "EINVAL";
  const account = core.domains.get(domid)?.account;
  if (account === undefined) return "ENOENT";
  const rows = QUOTA_ITEMS.map((item) => `${row(item, account.used(item))} (max ${String(account.most(item)).padStart(8)})\n`);
  return packStrings(`Domain ${domid}:\n${rows.join("")}`);
}

function quotaSoft(core: Core, parameters: readonly string[]): Answer {
  const [what, ...rest] = parameters;
  if (what === undefined) return showQuotas(core, (item) => `soft-${item}`);
  return what === "set" ? setQuota(core, rest, (name) => `soft-${name}`) : "EINVAL";
}

function showQuotas(core: Core, nameOf: (item: XsQuotaItem) => string): Answer {
  const shown = QUOTA_ITEMS.filter((item) => isQuotaName(nameOf(item)));
  const rows = shown.map((item) => `${row(item, core.domains.quotas[nameOf(item) as XsQuotaName])} ${XS_QUOTAS[item].description}\n`);
  return packStrings(`Quota settings:\n${rows.join("")}`);
}

function setQuota(core: Core, parameters: readonly string[], nameOf: (name: string) => string): Answer {
  const name = nameOf(parameters[0] ?? "");
  const value = parseUnsigned(parameters[1], 0x7fff_ffff);
  if (parameters.length !== 2 || !isQuotaName(name) || value === undefined || value === 0) return "EINVAL";
  core.domains.quotas[name] = value;
  return OK;
}

function showMost(core: Core, parameters: readonly string[]): Answer {
  if (parameters.length > 1 || (parameters[0] ?? "-r") !== "-r") return "EINVAL";
  const accounts = core.domains.all().flatMap(({ domid, account }) => (domid === 0 ? [] : [account]));
  if (parameters.length === 1) for (const account of accounts) account.resetMost();
  const rows = QUOTA_ITEMS.map((item) => `${row(item, Math.max(0, ...accounts.map((account) => account.most(item))))}\n`);
  return packStrings(`Max. seen accounting values:\n${rows.join("")}`);
}

function row(item: XsQuotaItem, value: number): string {
  return `${item.padEnd(17)}: ${String(value).padStart(8)}`;
}
