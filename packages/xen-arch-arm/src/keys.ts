import { type Arch, type Domain, vcpuName, vcpusOf } from "xen-common";
import { archDomain } from "./include/asm/domain.js";
import { getContext } from "./vcpu-context.js";

type Print = (line: string) => void;

const hex = (value: bigint): string => value.toString(16).padStart(16, "0");

/** The registers of a domain's vCPUs, four to a line (vcpu_show_registers). */
export function dumpRegisters(d: Domain, print: Print): void {
  if (archDomain(d).p2m === undefined) return print(`*** Domain ${d.domainId} has no memory yet ***`);
  for (const v of vcpusOf(d)) {
    const context = getContext(v);
    print(`*** Dumping ${vcpuName(v)} state: ***`);
    print(`PC:     ${hex(context.pc)}`);
    print(`SP_EL0: ${hex(context.spEl0)}  SP_EL1: ${hex(context.spEl1)}`);
    print(`PSTATE: ${hex(context.pstate)}  SCTLR: ${hex(context.sctlr)}`);
    for (let n = 0; n <= 30; n += 3) {
      const registers = context.x.slice(n, n + 3).map((value, i) => `${`X${n + i}`.padStart(3)}: ${hex(value)}`);
      print(`   ${registers.join("  ")}`);
    }
  }
}

/** What the compiler has made of a domain's hot code. */
export function dumpCompiler(d: Domain, print: Print): void {
  const { p2m, isCompiled } = archDomain(d);
  const statistics = p2m?.processor.compilerStatistics;
  if (!isCompiled) return print(`d${d.domainId}: interpreted, compiler = 0`);
  if (statistics === undefined) return print(`d${d.domainId}: no processor yet`);
  print(
    `d${d.domainId}: ${Object.entries(statistics)
      .map(([name, count]) => `${name}=${count}`)
      .join(" ")}`,
  );
}

/** Debug keys of the architecture over the guests that there are. */
export function archKeys(guests: ReadonlySet<Domain>): Arch["keys"] {
  return [
    { key: "0", description: "dump Dom0 registers", diagnostic: true, run: (print) => print("Domain 0 is the host process: it has no registers") },
    {
      key: "d",
      description: "dump registers",
      diagnostic: true,
      run(print) {
        for (const d of guests) dumpRegisters(d, print);
      },
    },
    {
      key: "J",
      description: "print compiler statistics",
      diagnostic: true,
      run(print) {
        for (const d of guests) dumpCompiler(d, print);
      },
    },
  ];
}
