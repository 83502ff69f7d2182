import { open, rm } from "node:fs/promises";
import { type Trigger, TRIGGER } from "libxl";
import { EXIT, findDomain, type Invocation, tolerate, XlError } from "./xl_context.js";
import { describeCommand } from "./xl_help.js";

/** `xl debug-keys`. */
export async function debugKeys({ xl, operands }: Invocation): Promise<number> {
  await (await xl.libxl()).sendDebugKeys(operands[0] as string);
  return EXIT.success;
}

/** `xl set-parameters`. */
export async function setParameters({ xl, operands }: Invocation): Promise<number> {
  const params = operands[0] as string;
  return (await xl.libxl()).setParameters(params).then(
    () => EXIT.success,
    (error: unknown) => {
      xl.tell(error);
      throw new XlError(`cannot set parameters: ${params}`);
    },
  );
}

/** `xl trigger`: exit 0 whatever libxl says, as Xen's. */
export async function trigger({ xl, operands }: Invocation): Promise<number> {
  const [domain, name, vcpuText] = operands as [string, string, string?];
  const domid = await findDomain(xl, domain);
  if (name === "unknown" || !(name in TRIGGER)) throw new XlError(`"${name}" is no trigger: nmi, reset, init, power, sleep or s3resume`);
  const isNumber = vcpuText === undefined || /^\d+$/.test(vcpuText);
  if (!isNumber) xl.err(`xl: "${vcpuText}" is no vCPU; vCPU 0 is taken\n`);
  return tolerate(xl, (await xl.libxl()).sendTrigger(domid, name as Trigger, isNumber ? Number(vcpuText ?? 0) : 0));
}

/** `xl button-press`, the old name of two triggers. */
export async function buttonPress({ xl, operands }: Invocation): Promise<number> {
  const [domain, button] = operands as [string, string];
  xl.err("xl: button-press is old: use xl trigger\n");
  const domid = await findDomain(xl, domain);
  if (button !== "power" && button !== "sleep") throw new XlError(`"${button}" is no button: power or sleep`);
  return tolerate(xl, (await xl.libxl()).sendTrigger(domid, button));
}

/** `xl sysrq`: exit 0 whatever libxl says, as Xen's. */
export async function sysrq({ xl, command, operands }: Invocation): Promise<number> {
  const [domain, letter] = operands as [string, string];
  const domid = await findDomain(xl, domain);
  if (letter.length !== 1) {
    xl.err(`xl: "${letter}" is no sysrq: give one character\n\n`);
    xl.out(describeCommand(command));
    return EXIT.failure;
  }
  return tolerate(xl, (await xl.libxl()).sendSysrq(domid, letter));
}

/** `xl dump-core`. */
export async function dumpCore({ xl, operands }: Invocation): Promise<number> {
  const [domain, path] = operands as [string, string];
  const domid = await findDomain(xl, domain);
  const libxl = await xl.libxl();
  const file = await open(path, "w", 0o600).catch((error: unknown) => {
    throw new XlError(`cannot write the core: ${(error as Error).message}`);
  });
  try {
    await libxl.domainCoreDump(domid, file);
  } catch (error) {
    // What is there of it is no core. A device stays.
    if ((await file.stat()).isFile()) await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  return EXIT.success;
}
