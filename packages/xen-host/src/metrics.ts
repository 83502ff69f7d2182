import type { Dominfo, Libxl } from "libxl";
import { formatPrometheus } from "perfc";
import { RESUME_BUCKETS, type ResumeFigures } from "./resume-meter.js";

/** What the host's process says about itself; times in seconds, memory in bytes. */
export interface ProcessFigures {
  readonly residentMemory: number;
  readonly cpuTime: number;
  /** Since 1970. */
  readonly startTime: number;
  readonly resumes: ResumeFigures;
}

interface Family {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
}

interface DomainFamily extends Family {
  readonly value: (domain: Dominfo) => number;
}

const DOMAIN_FAMILIES: readonly DomainFamily[] = [
  { name: "xen_domain_cpu_seconds_total", type: "counter", help: "CPU time of all vCPUs.", value: (d) => d.cpu_time / 1e9 },
  { name: "xen_domain_memory_bytes", type: "gauge", help: "Memory that the domain has.", value: (d) => d.current_memkb * 1024 },
  { name: "xen_domain_memory_limit_bytes", type: "gauge", help: "Memory that it may have.", value: (d) => d.max_memkb * 1024 },
  { name: "xen_domain_vcpus", type: "gauge", help: "vCPUs that are online.", value: (d) => d.vcpu_online },
];

/** The states of `xl list`; several may hold. */
const STATES = ["running", "blocked", "paused", "shutdown", "dying"] as const;

/** Figures of the hypervisor, its domains and its process in Prometheus' exposition format, version 0.0.4. */
export async function metricsText(libxl: Libxl, figures: ProcessFigures): Promise<string> {
  const [counters, host, domains] = await Promise.all([libxl.ctrl.perfcQuery(), libxl.getPhysinfo(), libxl.listDomain()]);
  const labels = new Map(
    await Promise.all(domains.map(async ({ domid }) => [domid, `domid="${domid}",name="${escapeLabel((await libxl.domidToName(domid)) ?? "")}"`] as const)),
  );
  const of = (d: Dominfo): string => labels.get(d.domid) as string;
  const page = 4096;
  return [
    ...DOMAIN_FAMILIES.map((family) =>
      format(
        family,
        domains.map((d) => [of(d), family.value(d)]),
      ),
    ),
    format(
      { name: "xen_domain_state", type: "gauge", help: "1 for each state that the domain is in." },
      domains.flatMap((d) => STATES.map((state) => [`${of(d)},state="${state}"`, Number(d[state])] as const)),
    ),
    format(
      { name: "xen_domain_shutdown", type: "gauge", help: "1 for a domain that is shut down, with the reason." },
      domains.filter((d) => d.shutdown).map((d) => [`${of(d)},reason="${d.shutdown_reason}"`, 1]),
    ),
    resumeHistogram(figures.resumes),
    single({ name: "xen_cpus", type: "gauge", help: "Physical CPUs." }, host.nr_cpus),
    single({ name: "xen_memory_bytes", type: "gauge", help: "Memory that guests may have together." }, host.total_pages * page),
    single({ name: "xen_memory_free_bytes", type: "gauge", help: "Memory that no domain has." }, host.free_pages * page),
    single({ name: "process_resident_memory_bytes", type: "gauge", help: "Memory that the host's process holds." }, figures.residentMemory),
    single({ name: "process_cpu_seconds_total", type: "counter", help: "CPU time of the host's process." }, figures.cpuTime),
    single({ name: "process_start_time_seconds", type: "gauge", help: "Start of the host's process, since 1970." }, figures.startTime),
    formatPrometheus(counters),
  ].join("");
}

function format({ name, type, help }: Family, samples: readonly (readonly [labels: string, value: number])[]): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${samples.map(([labels, value]) => `${name}{${labels}} ${value}\n`).join("")}`;
}

function single({ name, type, help }: Family, value: number): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${value}\n`;
}

function resumeHistogram({ counts, sum }: ResumeFigures): string {
  const name = "xen_domain_resume_seconds";
  const total = counts.reduce((all, count) => all + count, 0);
  let upTo = 0;
  const buckets = RESUME_BUCKETS.map((end, bucket) => `${name}_bucket{le="${end / 1e9}"} ${(upTo += counts[bucket] ?? 0)}\n`);
  return [
    `# HELP ${name} Time from a request's arrival to the moment at which the domain is let run again.\n# TYPE ${name} histogram\n`,
    ...buckets,
    `${name}_bucket{le="+Inf"} ${total}\n${name}_sum ${sum / 1e9}\n${name}_count ${total}\n`,
  ].join("");
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
