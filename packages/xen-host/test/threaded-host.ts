import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { assemble, createProcessor } from "aarch64";
import { build } from "tsup";
import type { Domain, Xen } from "xen-common";
import { GUEST, XEN_DOMCTL_CDF } from "xen-public";
import { createHostClock } from "../src/clock.js";
import { createCompilerService } from "../src/compiler-service.js";
import { createHypervisor } from "../src/hypervisor.js";
import { createPcpuThreads } from "../src/pcpu-threads.js";
import { createRunLoop } from "../src/run-loop.js";

/** Where `SPIN` counts. */
export const COUNTER: number = GUEST.RAM0_BASE + 0x1_0000;

/** Counts in memory for ever. */
export const SPIN = `
      ldr x20, =${COUNTER}
loop: ldr x0, [x20]
      add x0, x0, #1
      str x0, [x20]
      b loop
`;

/** The threads' scripts, bundled from the sources of this moment. */
export interface Scripts {
  readonly pcpu: URL;
  readonly compiler: URL;
  remove(): void;
}

/** Bundles them into a directory of their own, which `remove` takes away. */
export async function bundleScripts(): Promise<Scripts> {
  const outDir = mkdtempSync(join(tmpdir(), "xen-host-"));
  await build({
    config: false,
    entry: ["pcpu-thread.ts", "compiler-thread.ts"].map((name) => fileURLToPath(new URL(`../src/${name}`, import.meta.url))),
    format: "esm",
    target: "es2023",
    platform: "node",
    outDir,
    outExtension: () => ({ js: ".js" }),
    noExternal: [/./],
    silent: true,
    clean: false,
    sourcemap: "inline",
    esbuildOptions: (options) => void (options.conditions = ["source"]),
  });
  const script = (name: string): URL => pathToFileURL(join(outDir, name));
  return { pcpu: script("pcpu-thread.js"), compiler: script("compiler-thread.js"), remove: () => rmSync(outDir, { recursive: true, force: true }) };
}

/** A hypervisor in this thread with a second pCPU in another one. */
export interface ThreadedHost {
  readonly xen: Xen;
  readonly log: readonly string[];
  /** Makes a guest of 1 MiB that begins with `source`, loaded at the start of its RAM; its pCPU is `cpu`. Paused. */
  guest(source: string, cpu: number): Domain;
  /** The 64-bit words at an address of guest RAM. */
  words(d: Domain, address: number, count: number): number[];
  /** Lets guests run until `done`. */
  until(done: () => boolean, what: string): Promise<void>;
  stop(): void;
}

/** Seconds that `until` waits. */
const PATIENCE = 60;

/** Starts the hypervisor and the thread of its second pCPU. */
export function createThreadedHost({ pcpu, compiler }: Pick<Scripts, "pcpu" | "compiler">): ThreadedHost {
  const clock = createHostClock();
  const log: string[] = [];
  const [wake, news] = [new Int32Array(new SharedArrayBuffer(4)), new Int32Array(new SharedArrayBuffer(4))];
  const compilerService = createCompilerService(compiler);
  const threads = createPcpuThreads({ thread: pcpu, clock, compilerService, wake, news, log: (line) => void log.push(line) });
  const xen = createHypervisor({
    createProcessor: (options) => createProcessor({ ...options, isShared: true, compilerService, compile: { hotEntries: 20, batch: 1, maxWait: 1 } }),
    clock,
    rng: (bytes) => bytes.fill(7),
    memory: 2 ** 30,
    pcpus: 2,
    threads,
    log: (line) => void log.push(line),
    hasNews: () => Atomics.load(news, 0) === 1,
    kick(cpu) {
      if (cpu > 0) Atomics.store(news, 0, 1);
      loop.kick();
    },
  });
  const loop = createRunLoop(xen, { pcpus: 2, now: () => clock.now(), wake, news, isActive: () => threads.isActive });
  const { domctl } = xen;
  return {
    xen,
    log,
    guest(source, cpu) {
      const domid = domctl.createDomain({
        handle: new Uint8Array(16),
        flags: XEN_DOMCTL_CDF.hvm | XEN_DOMCTL_CDF.hap,
        maxVcpus: 1,
        maxEvtchnPort: 1023,
        maxGrantFrames: 4,
        maxMaptrackFrames: 0,
        cpupoolId: 0,
        arch: { gicVersion: 2, nrSpis: 0, vuart: false },
      });
      domctl.maxVcpus(domid, 1);
      domctl.setMaxMem(domid, 2048);
      domctl.populatePhysmap(domid, GUEST.RAM0_BASE / 4096, 256);
      domctl.writeGuestMemory(domid, GUEST.RAM0_BASE, assemble(source, { origin: BigInt(GUEST.RAM0_BASE) }).bytes);
      const context = { isOnline: true, pc: BigInt(GUEST.RAM0_BASE), pstate: 0x3c5n, x: [], spEl0: 0n, spEl1: 0n, elrEl1: 0n, spsrEl1: 0n, sctlr: 0xc5_0078n };
      domctl.setVcpuContext(domid, 0, { ...context, ttbr0: 0n, ttbr1: 0n, ttbcr: 0n });
      domctl.setVcpuAffinity(domid, 0, { hard: [cpu] });
      return xen.domains.get(domid)!;
    },
    words(d, address, count) {
      const bytes = domctl.readGuestMemory(d.domainId, address, count * 8);
      return Array.from(new BigUint64Array(bytes.buffer), Number);
    },
    async until(done, what) {
      const end = performance.now() + PATIENCE * 1000;
      while (!done()) {
        if (performance.now() > end) throw new Error(`waited in vain for ${what}; the log: ${log.join("\n")}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    stop() {
      loop.stop();
      const guests = [...xen.domains.values()].filter(({ isHost }) => !isHost);
      for (const { domainId } of guests) domctl.destroyDomain(domainId);
    },
  };
}
