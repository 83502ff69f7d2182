import type { RegionReport } from "libxl";
import { EXIT, findDomain, type Invocation, printJson, XlError } from "./xl_context.js";

const hex = (address: number): string => `0x${address.toString(16).padStart(8, "0")}`;

/** `xl regions`: the guest code that the host's processor has compiled; one region in full for a bug report. Not in Xen. */
export async function regions({ xl, options, operands }: Invocation): Promise<number> {
  const [domain, text] = operands as [string, string?];
  const domid = await findDomain(xl, domain);
  const libxl = await xl.libxl();
  if (text !== undefined) {
    const address = Number(text);
    if (!Number.isSafeInteger(address) || address < 0) throw new XlError(`"${text}" is no guest physical address: xl regions ${domain} lists them`);
    xl.out(await describe(await libxl.compiledRegion(domid, address)));
    return EXIT.success;
  }
  const list = await libxl.compiledRegions(domid);
  if (options.has("json")) {
    printJson(
      xl,
      list.map((region) => ({ ...region, tier: region.tier + 1 })),
    );
    return EXIT.success;
  }
  xl.out(`${"Address".padEnd(10)} EL Tier Instructions Entries\n`);
  for (const { address, el, tier, instructions, entries } of list) {
    xl.out(
      `${hex(address).padEnd(10)} ${el.toString().padStart(2)} ${(tier + 1).toString().padStart(4)} ${instructions.toString().padStart(12)} ${entries.toString().padStart(7)}\n`,
    );
  }
  return EXIT.success;
}

/** Everything that a report needs: what it is, the guest's code, and the WebAssembly text. */
async function describe({ address, el, tier, instructions, listing, wasm }: RegionReport): Promise<string> {
  const title = `region ${hex(address)} el${el} tier ${tier + 1}, ${instructions} instructions, ${wasm.length} bytes of WebAssembly`;
  return `${title}\n\n${listing.join("\n")}\n\n${await textOf(wasm)}`;
}

async function textOf(wasm: Uint8Array): Promise<string> {
  const { default: createWabt } = await import("wabt");
  const module = (await createWabt()).readWasm(Uint8Array.from(wasm), { readDebugNames: false, threads: true });
  try {
    return module.toText({ foldExprs: true, inlineExport: true });
  } finally {
    module.destroy();
  }
}
