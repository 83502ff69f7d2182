import { type Domain, vcpuName, vcpusOf } from "xen-common";
import { archDomain } from "./include/asm/domain.js";
import { getContext } from "./vcpu-context.js";

type Print = (line: string) => void;

const hex = (value: bigint): string => value.toString(16).padStart(16, "0");

/** The registers of a domain's vCPUs, four to a line (vcpu_show_registers). */
export function dumpRegisters(d: Domain, print: Print): void {
  if (d.isHost || archDomain(d).processor === undefined) return print(`*** Domain ${d.domainId} has no registers ***`);
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

/** Debug keys of the architecture over the domains that there are. */
export function archKeys(domains: ReadonlySet<Domain>): readonly { key: string; description: string; diagnostic: boolean; run: (print: Print) => void }[] {
  const dump = (wanted: (d: Domain) => boolean) => (print: Print) => {
    for (const d of domains) if (wanted(d)) dumpRegisters(d, print);
  };
  return [
    { key: "0", description: "dump Dom0 registers", diagnostic: true, run: dump((d) => d.isHardwareDomain) },
    { key: "d", description: "dump registers", diagnostic: true, run: dump((d) => !d.isHardwareDomain) },
  ];
}
