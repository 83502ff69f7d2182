import type { Progress } from "guests";
import { bootFresh } from "./boot.js";
import { measureKernel } from "./compute.js";
import { computeKernels } from "./guest/program.js";
import type { LinuxImage } from "./linux.js";
import { formatColumns, geomean } from "./report.js";

/** Settings of XEN_HOST_COMPILER to compare; the first is the default. */
const SETTINGS = [
  "",
  "hot=500",
  "hot=1000",
  "hot=2000",
  "hot=8000",
  "batch=8",
  "batch=128,wait=96",
  "wait=4",
  "region=50",
  "region=100",
  "region=400",
  "calling=100",
  "calling=480,calls=8",
  "calls=0",
];

/** Kernels that live of regions' sizes and transitions. */
const KERNELS = computeKernels.flatMap((kernel, index) => (["sha256", "sort", "bytecode", "calls"].includes(kernel.name) ? [{ kernel, index }] : []));

/** Boots once with each setting of the compiler, in a host of its own, and runs some kernels: a table of what that costs and gains. */
export async function tiersTable(image: LinuxImage, progress: Progress): Promise<string> {
  const lines = [["setting", "boot s", "regions", "modules", "wasm MiB", "code MiB", "compiling s", "installing s", "compile %", "engine %", "MIPS"]];
  for (const setting of SETTINGS) {
    await progress.step(`compiler with ${setting || "its defaults"}`, async () => {
      let mips = Number.NaN;
      const { seconds, account, codeMiB, compileShare, engineShare } = await bootFresh(image, { XEN_HOST_COMPILER: setting }, async (console) => {
        const speeds: number[] = [];
        for (const { kernel, index } of KERNELS) speeds.push(await measureKernel(console, index, kernel));
        mips = geomean(speeds);
      });
      const { regions = 0, modules = 0, bytes = 0, compiling = 0, installing = 0 } = account;
      const figures = [bytes / 2 ** 20, codeMiB, compiling / 1000, installing / 1000, compileShare, engineShare].map((figure) => figure.toFixed(1));
      lines.push([setting || "defaults", seconds.toFixed(1), `${regions}`, `${modules}`, ...figures, mips.toFixed(0)]);
    });
  }
  return formatColumns(lines, 1);
}
