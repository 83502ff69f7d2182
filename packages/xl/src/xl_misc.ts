import { EXIT, type Invocation } from "./xl_context.js";

/** `xl debug-keys`. */
export async function debugKeys({ xl, operands }: Invocation): Promise<number> {
  await (await xl.libxl()).sendDebugKeys(operands[0] as string);
  return EXIT.success;
}
