import { call, type Ctx, fail } from "./libxl_internal.js";
import type { Physinfo, VersionInfo } from "./libxl_types.js";
import type { PerfCounter, XenVersion } from "./xenctrl.js";

/** libxl_get_physinfo. */
export async function getPhysinfo(ctx: Ctx): Promise<Physinfo> {
  const info = await call(ctx, "ask for the host's facts", undefined, ctx.ctrl.physInfo());
  return {
    threads_per_core: info.threadsPerCore,
    cores_per_socket: info.coresPerSocket,
    max_cpu_id: info.maxCpuId,
    nr_cpus: info.nrCpus,
    cpu_khz: info.cpuKhz,
    total_pages: info.totalPages,
    free_pages: info.freePages,
    scrub_pages: 0,
    outstanding_pages: info.outstandingPages,
    sharing_freed_pages: 0,
    sharing_used_frames: 0,
    max_possible_mfn: info.totalPages,
    nr_nodes: info.nrNodes,
    hw_cap: [...info.hwCaps],
    capabilities: [...info.capabilities],
    arch_capabilities: 0,
    free_cpus: info.freeCpus,
  };
}

/** libxl_get_version_info. */
export async function getVersionInfo(ctx: Ctx): Promise<VersionInfo> {
  const version = await xenVersion(ctx);
  return {
    xen_version_major: version.major,
    xen_version_minor: version.minor,
    xen_version_extra: version.extra,
    compiler: version.compiler,
    compile_by: version.compileBy,
    compile_domain: version.compileDomain,
    compile_date: version.compileDate,
    capabilities: version.capabilities,
    changeset: version.changeset,
    virt_start: version.virtStart,
    pagesize: version.pagesize,
    commandline: version.commandline,
    build_id: version.buildId,
  };
}

/** What xen_version, the scheduler and uname say. */
export async function xenVersion(ctx: Ctx): Promise<XenVersion> {
  return call(ctx, "ask for Xen's version", undefined, ctx.ctrl.version());
}

/** libxl_send_debug_keys. */
export async function sendDebugKeys(ctx: Ctx, keys: string): Promise<void> {
  await call(ctx, `send the debug keys "${keys}"`, undefined, ctx.ctrl.debugKeys(keys));
}

/** The text of the hypervisor's console ring (libxl_xen_console_read_line, all lines). */
export async function xenConsoleRead(ctx: Ctx, clear: boolean): Promise<string> {
  return call(ctx, "read Xen's console ring", undefined, ctx.ctrl.readConsoleRing(clear));
}

/**
 * libxl_set_parameters: words of the form name=value, or noname, with spaces between them; each is written to hypfs, in that order, up to the first
 * one that is refused.
 */
export async function setParameters(ctx: Ctx, params: string): Promise<void> {
  for (const word of params.split(/[ \t]+/).filter((text) => text !== "")) {
    const found = /^(?:([^=]*)=(.*)|no(.*))$/s.exec(word);
    if (found === null) throw fail(ctx, "FAIL", `parameter "${word}" has no value: write name=value`);
    const [, name = found[3] ?? "", value = "no"] = found;
    await call(ctx, `set the parameter "${name}" to "${value}"`, undefined, ctx.ctrl.hypfsWrite(`/params/${name}`, value));
  }
}

/** The hypervisor's performance counters, in its order. */
export async function perfcQuery(ctx: Ctx): Promise<PerfCounter[]> {
  return call(ctx, "read the performance counters", undefined, ctx.ctrl.perfcQuery());
}

/** Sets all counters to zero. */
export async function perfcReset(ctx: Ctx): Promise<void> {
  await call(ctx, "reset the performance counters", undefined, ctx.ctrl.perfcReset());
}
