import { AFTER_CHANGE, createCollector } from "./collector.js";
import { rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { createLibxl, hostPaths, makePrivateDirectory, takeLock, type XenCtrl, XenCtrlError } from "libxl";
import { farewell } from "./farewell.js";
import { type HypervisorThread, startHypervisor } from "./hypervisor-thread.js";
import { LOG_LEVELS, type LogLevel, openLogFile } from "./log.js";
import { metricsText, type ProcessFigures } from "./metrics.js";
import { listenMetrics, parseMetricsAddress } from "./metrics-server.js";
import type { ResumeMeter } from "./resume-meter.js";
import { listen } from "./server.js";
import { engineStepsBack } from "./priority.js";
import { createStateFile, readLostDomains } from "./state-file.js";
import { listenStore } from "./store-server.js";

/** What a new host says to who started it, one line of JSON on stdout with `--announce`. */
export type Announcement =
  | { readonly state: "ready"; readonly pid: number; readonly lost: readonly string[] }
  | { readonly state: "already running" }
  | { readonly state: "failed"; readonly reason: string };

const USAGE = `Usage: xen-host [--announce] [--metrics ADDRESS]

Runs the hypervisor and serves xl on a socket in XEN_HOST_DIR (default: the user's runtime directory) until SIGTERM, which tells the guests
to power off first; a second one does not wait for them. xl starts it by itself. --announce prints one line of JSON when it listens.
--metrics, or XEN_HOST_METRICS, serves Prometheus at a port, host:port or path, besides metrics.sock in XEN_HOST_DIR.
XEN_HOST_LOG sets the log's level (${LOG_LEVELS.join(", ")}), XEN_HOST_CACHE where compiled guest code is kept (or off), XEN_PCPUS the number of pCPUs (default: the cores).
`;

/** The command: takes the arguments behind its name, resolves to the exit code when the host has stopped. */
export async function main(argv: readonly string[]): Promise<number> {
  let options;
  try {
    options = parseArgs({
      args: [...argv],
      options: { announce: { type: "boolean" }, metrics: { type: "string" }, help: { type: "boolean", short: "h" } },
    }).values;
  } catch (error) {
    process.stderr.write(`xen-host: ${(error as Error).message}\n${USAGE}`);
    return 2;
  }
  if (options.help === true) {
    process.stdout.write(USAGE);
    return 0;
  }
  const isAnnouncing = options.announce === true;
  const metrics = options.metrics ?? process.env["XEN_HOST_METRICS"];
  // Who started the host may be gone by the time it speaks.
  process.stdout.on("error", () => undefined);
  process.stderr.on("error", () => undefined);
  const announce = (announcement: Announcement): void => {
    if (isAnnouncing) process.stdout.write(`${JSON.stringify(announcement)}\n`);
    else process.stderr.write(`xen-host: ${announcement.state === "failed" ? announcement.reason : announcement.state}\n`);
  };
  try {
    return await run(announce, metrics);
  } catch (error) {
    announce({ state: "failed", reason: (error as Error).message });
    return 1;
  }
}

/** How long guests have to power off when the host stops, in milliseconds. */
const FAREWELL_TIME = 10_000;
/** And how long clients have to read what was last said to them. */
const CLOSE_TIME = 1000;

async function run(announce: (announcement: Announcement) => void, metrics: string | undefined): Promise<number> {
  const paths = hostPaths(process.env);
  const level = logLevel(process.env["XEN_HOST_LOG"]);
  const scraped = metrics ? parseMetricsAddress(metrics) : undefined;
  makePrivateDirectory(paths.directory);
  const release = takeLock(paths.lock);
  if (release === undefined) {
    announce({ state: "already running" });
    return 0;
  }
  process.title = "xen-host";
  engineStepsBack();
  const sockets = [paths.socket, paths.store, paths.metrics];
  const log = openLogFile(paths.log, level);
  const servers: Closable[] = [];
  let worker: HypervisorThread["worker"] | undefined;
  try {
    const lost = readLostDomains(paths.state);
    if (lost.length > 0) log.warn(`the last host died; lost ${lost.join(", ")}`);
    for (const socket of sockets) rmSync(socket, { force: true });
    const hypervisor = startHypervisor(log);
    const { xenctrl, openStore, resumes, failed } = hypervisor;
    worker = hypervisor.worker;
    // What a hypervisor that cannot begin says itself, and not what its silence does to others.
    const refused = failed.then((error) => Promise.reject(error));
    const state = await Promise.race([createStateFile(paths.state, xenctrl), refused]);
    const libxl = createLibxl(xenctrl, { log: (level, message, domid) => log.debug(`${level}: ${message} (domain ${domid})`) });
    const text = (): Promise<string> => metricsText(libxl, { ...processFigures(), resumes: resumes.figures() });
    let isStopping = false;
    const guarded = unlessStopping(noticingResumes(xenctrl, resumes), () => isStopping);
    servers.push(await listenStore(openStore, paths.store, log));
    servers.push(await listenMetrics(text, { path: paths.metrics }, log));
    if (scraped !== undefined) servers.push(await listenMetrics(text, scraped, log));
    servers.push(await listen(guarded, paths.socket, log));
    rmSync(paths.state, { force: true });
    xenctrl.onDomainChange(createCollector(AFTER_CHANGE));
    log.info(`xen-host ${process.pid} listens at ${paths.socket}`);
    announce({ state: "ready", pid: process.pid, lost });

    const signals = createSignals();
    const reason = await Promise.race([signals.next(), failed]);
    if (reason instanceof Error) {
      // The state file stays: the guests are lost, and the next start says so.
      log.error(`the hypervisor failed: ${reason.stack ?? reason.message}`);
      process.exitCode = 1;
    } else {
      log.info(`stopping on ${reason}`);
      isStopping = true;
      const hurry = Promise.race([signals.next(), failed]);
      await farewell(libxl, { log, patience: FAREWELL_TIME, hurry }).catch((error: unknown) => log.error(`no farewell: ${(error as Error).message}`));
      state.remove();
    }
    for (const socket of sockets) rmSync(socket, { force: true });
    await Promise.race([Promise.all(servers.map((server) => server.close())), new Promise((resolve) => setTimeout(resolve, CLOSE_TIME).unref())]);
    await worker.terminate();
    return reason instanceof Error ? 1 : 0;
  } catch (error) {
    // What was opened would keep the process, without a lock.
    for (const server of servers) void server.close();
    for (const socket of sockets) rmSync(socket, { force: true });
    await worker?.terminate();
    throw error;
  } finally {
    release();
  }
}

type Closable = { close(): Promise<void> };

function logLevel(wanted: string | undefined): LogLevel {
  const found = LOG_LEVELS.find((level) => level === (wanted || "info"));
  if (found === undefined) throw new Error(`XEN_HOST_LOG: "${wanted}" is none of ${LOG_LEVELS.join(", ")}`);
  return found;
}

/** SIGTERM and SIGINT, one after the other; SIGHUP is not for us. */
function createSignals(): { next(): Promise<NodeJS.Signals> } {
  let resolve: (signal: NodeJS.Signals) => void = () => undefined;
  process.on("SIGHUP", () => undefined);
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => resolve(signal));
  return { next: () => new Promise((next) => (resolve = next)) };
}

function processFigures(): Omit<ProcessFigures, "resumes"> {
  const { user, system } = process.cpuUsage();
  return { residentMemory: process.memoryUsage.rss(), cpuTime: (user + system) / 1e6, startTime: performance.timeOrigin / 1000 };
}

function noticingResumes(xenctrl: XenCtrl, resumes: ResumeMeter): XenCtrl {
  return {
    ...xenctrl,
    async resumeDomain(domid) {
      resumes.arrived(domid);
      return xenctrl.resumeDomain(domid);
    },
  };
}

/** ESHUTDOWN */
const ESHUTDOWN = 108;

/** Makes no domain any more once the host stops: a monitor may want one back that has just been told to go. */
function unlessStopping(xenctrl: XenCtrl, isStopping: () => boolean): XenCtrl {
  return {
    ...xenctrl,
    createDomain: async (config) => {
      if (isStopping()) throw new XenCtrlError("createDomain", ESHUTDOWN, "the host is stopping");
      return xenctrl.createDomain(config);
    },
  };
}
