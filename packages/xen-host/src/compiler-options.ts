import { type CompilerOptions, DEFAULT_COMPILER_OPTIONS } from "aarch64";

/** What XEN_HOST_COMPILER may set, and how. */
const SETTINGS: Readonly<Record<string, (value: number, options: CompilerOptions) => Partial<CompilerOptions>>> = {
  hot: (hotEntries) => ({ hotEntries }),
  batch: (batch) => ({ batch }),
  wait: (maxWait) => ({ maxWait }),
  region: (instructions, { tiers: [first, second] }) => ({ tiers: [{ ...first, instructions }, second] }),
  calling: (instructions, { tiers: [first, second] }) => ({ tiers: [first, { ...second, instructions }] }),
  calls: (calls, { tiers: [first, second] }) => ({ tiers: [first, { ...second, calls }] }),
};

/**
 * Reads XEN_HOST_COMPILER, for measurements: `hot=4000,batch=32,wait=24,region=200,calling=240,calls=4` are entries until code is hot, regions in a
 * module, runs that a smaller batch waits, instructions of a region at first and once it takes in what it calls, and how many calls. Throws an Error that names what it does not know.
 */
export function compilerOptions(text: string): CompilerOptions {
  let options = DEFAULT_COMPILER_OPTIONS;
  for (const part of text.split(",").filter((p) => p !== "")) {
    const [, name = "", digits = ""] = /^(\w+)=(\d+)$/.exec(part) ?? [];
    const setting = Object.hasOwn(SETTINGS, name) ? SETTINGS[name] : undefined;
    if (setting === undefined) throw new Error(`XEN_HOST_COMPILER: "${part}" is none of ${Object.keys(SETTINGS).join("=N, ")}=N`);
    options = { ...options, ...setting(Number(digits), options) };
  }
  return options;
}
