import { EXIT, findDomain, type Invocation, XlError } from "./xl_context.js";

const KIB = { b: 1 / 1024, k: 1, m: 1024, g: 1024 ** 2, t: 1024 ** 3 } as const;

/** A memory size of the command line in KiB: a number and b, k, m, g or t, MiB without (parse_mem_size_kb). */
export function parseMemSizeKb(text: string): number {
  const found = /^(\d+)([bkmgt])?$/i.exec(text);
  if (found === null) throw new XlError(`"${text}" is no memory size: give a number of MiB, or a number with b, k, m, g or t behind it`);
  return Math.floor(Number(found[1]) * KIB[(found[2] ?? "m").toLowerCase() as keyof typeof KIB]);
}

/** `xl mem-max`. */
export async function memMax({ xl, operands }: Invocation): Promise<number> {
  const domid = await findDomain(xl, operands[0] as string);
  await (await xl.libxl()).domainSetmaxmem(domid, parseMemSizeKb(operands[1] as string));
  return EXIT.success;
}

/** `xl mem-set`. */
export async function memSet({ xl, operands }: Invocation): Promise<number> {
  const domid = await findDomain(xl, operands[0] as string);
  await (await xl.libxl()).setMemoryTarget(domid, parseMemSizeKb(operands[1] as string));
  return EXIT.success;
}
