import { formatDebugKey } from "perfc";
import { EVTCHNSTAT, PAGE_SIZE } from "xen-public";
import { cpupoolFreeCpus } from "./cpupool.js";
import { vcpusOf } from "./domain.js";
import { evtchnIsPending, evtchnStatus } from "./event_channel.js";
import { freePages } from "./memory.js";
import { runstateTimes } from "./sched/runstate.js";
import { isVcpuOnline, RUNSTATE, vcpuName } from "./vcpu.js";
import type { Xen } from "./xen.js";

/** One debug key. */
export interface KeyHandler {
  readonly key: string;
  readonly description: string;
  /** Key '*' runs it. */
  readonly diagnostic: boolean;
  run(print: (line: string) => void): void;
}

/** The debug keys of a hypervisor. */
export interface KeyHandlers {
  readonly handlers: readonly KeyHandler[];
  /** Runs the key's handler and prints to the console; an unknown key is only named. */
  handle(key: string): void;
}

/** "12.345678901 s" since boot. */
function seconds(ns: number): string {
  return `${(ns / 1e9).toFixed(9)} s`;
}

function domains(xen: Xen, print: (line: string) => void): void {
  print(`'q' pressed -> dumping domain info (now = ${seconds(xen.clock.now())})`);
  for (const d of xen.domains.values()) {
    print(`General information for domain ${d.domainId}:`);
    print(`    pause_count=${d.pauseCount} controller_pause_count=${d.controllerPauseCount} dying=${d.dying} shutdown=${d.shutdownState}`);
    print(`    nr_pages=${d.totPages} max_pages=${d.maxPages} vm_assist=${d.vmAssist.toString(16).padStart(8, "0")} cpupool=${d.cpupool.id}`);
    print(`    handle=${[...d.handle].map((byte) => byte.toString(16).padStart(2, "0")).join("")} vcpus=${vcpusOf(d).length}/${d.maxVcpus}`);
    for (const v of vcpusOf(d)) {
      const ran = runstateTimes(v, xen.clock.now())[RUNSTATE.RUNNING];
      print(
        `    ${vcpuName(v)}: CPU${v.processor} ${isVcpuOnline(v) ? "online" : "down"}${v.isRunning ? " running" : ""} pause_count=${v.pauseCount} pause_flags=${v.pauseFlags.toString(16)} runstate=${v.runstate.state} ran ${seconds(ran)} upcall_pend=${v.vcpuInfo[0]}`,
      );
    }
  }
}

function eventChannels(xen: Xen, print: (line: string) => void): void {
  for (const d of xen.domains.values()) {
    print(`Event channel information for domain ${d.domainId}: 2-level, ports 1..${d.evtchn.maxPort}`);
    for (const port of [...d.evtchn.ports.keys()].toSorted((a, b) => a - b)) {
      const status = evtchnStatus(d, port);
      if (typeof status === "number") continue;
      const name = Object.entries(EVTCHNSTAT).find(([, value]) => value === status.status)?.[0];
      print(`    ${String(port).padStart(4)}: ${name} vcpu=${status.vcpu} ${status.first} ${status.second}${evtchnIsPending(d, port) ? " pending" : ""}`);
    }
  }
}

function grantTables(xen: Xen, print: (line: string) => void): void {
  for (const d of xen.domains.values())
    print(`grant-table for domain ${d.domainId} (v${d.grantTable.version}): frames ${d.grantTable.frames.length}/${d.grantTable.maxFrames}`);
}

function runQueues(xen: Xen, print: (line: string) => void): void {
  const { pcpus } = xen.sched;
  const free = cpupoolFreeCpus(xen);
  print(`sched_smt_power_savings: disabled, now = ${seconds(xen.clock.now())}`);
  print(`Online Cpus: 0-${pcpus.length - 1}${free.length > 0 ? `; free: ${free.join(",")}` : ""}`);
  for (const { id, cpus, sched } of xen.cpupools) {
    print(`Cpupool ${id}: scheduler ${sched.name} (${sched.optName}), CPUs ${[...cpus].join(",") || "none"}`);
    sched.dump(print);
  }
  for (const { id, curr } of pcpus) print(`CPU[${String(id).padStart(2, "0")}] current=${curr === undefined ? "idle" : vcpuName(curr)}`);
}

function version(xen: Xen, print: (line: string) => void): void {
  const { build } = xen;
  print(`Xen ${build.major}.${build.minor}${build.extra}`);
  print(`Command line: ${build.commandline}`);
}

/** The console keys of Xen that mean something here (keyhandler.c), in the order of key 'h'. */
export function createKeyHandlers(xen: Xen): KeyHandlers {
  const handlers: KeyHandler[] = [
    ...xen.arch.keys,
    row("?", "show version and command line", false, (print) => version(xen, print)),
    row("*", "run all diagnostic handlers", false, () => {
      for (const handler of handlers) if (handler.diagnostic) invoke(handler);
    }),
    row("a", "dump timer queues", true, (print) => {
      print(`Dumping timer queues (now = ${seconds(xen.clock.now())}):`);
      for (const { name, expires } of xen.timers.list()) print(`  ex=${((expires! - xen.clock.now()) / 1000).toFixed(3)}us ${name}`);
    }),
    row("e", "dump event channel information", true, (print) => eventChannels(xen, print)),
    row("g", "print grant table usage", true, (print) => grantTables(xen, print)),
    row("h", "show this list", false, (print) => {
      for (const { key, description } of handlers.toSorted((a, b) => (a.key < b.key ? -1 : 1)))
        print(` key '${key}' (ascii '${key.charCodeAt(0).toString(16).padStart(2, "0")}') => ${description}`);
    }),
    row("m", "memory totals", true, (print) => {
      const kib = PAGE_SIZE / 1024;
      print(`Physical memory: total ${xen.totalPages * kib}kB, free ${freePages(xen) * kib}kB`);
    }),
    row("p", "print performance counters", true, (print) => {
      print(`Xen performance counters (now = ${seconds(xen.clock.now())})`);
      for (const line of formatDebugKey(xen.perfc.query())) print(line);
    }),
    row("P", "reset performance counters", false, (print) => {
      xen.perfc.reset();
      print(`Xen performance counters reset (now = ${seconds(xen.clock.now())})`);
    }),
    row("q", "dump domain (and vCPU) information", true, (print) => domains(xen, print)),
    row("r", "dump run queues", true, (print) => runQueues(xen, print)),
    row("t", "display clocks of all pCPUs", true, (print) => print(`Synced stime: ${seconds(xen.clock.now())}, all pCPUs share one clock`)),
  ];
  const print = (line: string): void => xen.console.printk(line);
  const invoke = (handler: KeyHandler): void => {
    print(`'${handler.key}' pressed: ${handler.description}`);
    handler.run(print);
  };
  return {
    handlers,
    handle(key) {
      const handler = handlers.find((candidate) => candidate.key === key);
      xen.console.logEverything(() => {
        if (handler === undefined) print(`key '${key}' has no handler`);
        else invoke(handler);
      });
    },
  };
}

function row(key: string, description: string, diagnostic: boolean, run: KeyHandler["run"]): KeyHandler {
  return { key, description, diagnostic, run };
}
