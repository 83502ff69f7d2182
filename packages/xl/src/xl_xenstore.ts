import { EXIT, findDomain, type Invocation, printJson, XlError } from "./xl_context.js";
import { describeCommand } from "./xl_help.js";
import { printf } from "./printf.js";

/** The domain of the operands, undefined for -g, and what is behind it; undefined where it is neither. */
async function target({ xl, options, operands }: Invocation): Promise<{ domid: number | undefined; rest: readonly string[] } | undefined> {
  if (options.has("g")) return { domid: undefined, rest: operands };
  const [domain, ...rest] = operands;
  return domain === undefined ? undefined : { domid: await findDomain(xl, domain), rest };
}

/** `xl xenstore-quota-get`. */
export async function quotaGet(invocation: Invocation): Promise<number> {
  const { xl, command, options } = invocation;
  const found = await target(invocation);
  if (found === undefined || found.rest.length > 0) {
    xl.out(describeCommand(command));
    return EXIT.usage;
  }
  const quotas = await (await xl.libxl()).xsquotaGet(found.domid);
  if (options.has("json")) {
    printJson(xl, quotas);
    return EXIT.success;
  }
  xl.out(`Quota name           Quota value\n${"-".repeat(32)}\n`);
  for (const [name, value] of Object.entries(quotas)) xl.out(printf("%-20s %8u\n", name, value));
  return EXIT.success;
}

/** `xl xenstore-quota-set`. */
export async function quotaSet(invocation: Invocation): Promise<number> {
  const { xl, command } = invocation;
  const found = await target(invocation);
  if (found === undefined || found.rest.length === 0) {
    xl.out(describeCommand(command));
    return EXIT.usage;
  }
  const quotas = found.rest.map((text): [string, number] => {
    const [, name, value] = /^([^=]+)=(\d+)$/.exec(text) ?? [];
    if (name === undefined) throw new XlError(`"${text}" is no quota: give <name>=<number>`);
    return [name, Number(value)];
  });
  await (await xl.libxl()).xsquotaSet(Object.fromEntries(quotas), found.domid);
  return EXIT.success;
}
