import { GUEST, GUEST_IRQ, MAX_VIRT_CPUS, MAX_VIRT_CPUS_GICV2 } from "xen-public";
import { cpupoolQualifierToCpupoolid } from "./libxl_cpupool.js";
import { type Ctx, fail } from "./libxl_internal.js";
import type { DomainBuildInfo, DomainConfig, DomainCreateInfo } from "./libxl_types.js";
import { generateUuid, uuidFromString, uuidToString } from "./libxl_uuid.js";

const DEFAULT_MEMKB = 32 * 1024;
const DEFAULT_EVENT_CHANNELS = 1023;
const DEFAULT_GRANT_FRAMES = 64;
const DEFAULT_MAPTRACK_FRAMES = 1024;
const MAX_RAM_KB = GUEST.RAM0_SIZE / 1024;
/** SPIs of a virtual GIC. */
const MAX_SPIS = 960;
/** GNTTAB_MAX_VERSION of Xen on Arm. */
const MAX_GRANT_VERSION = 1;
const DOMID_FIRST_RESERVED = 0x7ff0;

/**
 * Fills libxl's defaults in and refuses what cannot be (libxl__domain_config_setdefault). The
 * config handed in is left as it is. Rejects with INVAL, or NI for devices that this host has no back end for.
 */
export async function domainConfigSetdefault(ctx: Ctx, config: DomainConfig): Promise<DomainConfig> {
  refuseUnsupported(ctx, config);
  const c_info = await createInfo(ctx, config.c_info);
  const b_info = buildInfo(ctx, config.b_info);
  return {
    ...config,
    c_info,
    b_info,
    on_poweroff: config.on_poweroff ?? "destroy",
    on_reboot: config.on_reboot ?? "destroy",
    on_watchdog: config.on_watchdog ?? "destroy",
    on_crash: config.on_crash ?? "destroy",
    on_soft_reset: config.on_soft_reset ?? "destroy",
  };
}

async function createInfo(ctx: Ctx, info: DomainCreateInfo): Promise<DomainCreateInfo> {
  if (info.name === "") throw fail(ctx, "INVAL", "a domain needs a name");
  if (/[/\0\n]/.test(info.name)) throw fail(ctx, "INVAL", `name ${JSON.stringify(info.name)}: a domain's name may not contain "/", a line end or a zero`);
  if (info.type === "hvm") throw fail(ctx, "INVAL", 'type "hvm" does not exist on Arm: use type = "pvh"');
  if (info.type === "pv") ctx.log("warn", 'type "pv" does not exist on Arm: the domain is built as "pvh"');
  const uuid = info.uuid === undefined ? generateUuid(ctx.randomBytes) : canonicalUuid(ctx, info.uuid);
  if (info.domid !== undefined && !(Number.isInteger(info.domid) && info.domid > 0 && info.domid < DOMID_FIRST_RESERVED)) {
    throw fail(ctx, "INVAL", `domid ${info.domid} is not between 1 and ${DOMID_FIRST_RESERVED - 1}`);
  }
  const poolid = info.pool_name === undefined ? (info.poolid ?? 0) : await cpupoolQualifierToCpupoolid(ctx, info.pool_name);
  return {
    ...info,
    type: "pvh",
    uuid,
    poolid,
    run_hotplug_scripts: info.run_hotplug_scripts ?? true,
    driver_domain: info.driver_domain ?? false,
    passthrough: "disabled",
  };
}

function canonicalUuid(ctx: Ctx, text: string): string {
  const bytes = uuidFromString(text);
  if (bytes === undefined) throw fail(ctx, "INVAL", `uuid "${text}" has not the form 01234567-89ab-cdef-0123-456789abcdef`);
  return uuidToString(bytes);
}

function buildInfo(ctx: Ctx, info: DomainBuildInfo): DomainBuildInfo {
  const max_vcpus = info.max_vcpus ?? 1;
  const gic = info.arch_arm?.gic_version ?? "default";
  const limit = gic === "v2" ? MAX_VIRT_CPUS_GICV2 : MAX_VIRT_CPUS;
  if (!(Number.isInteger(max_vcpus) && max_vcpus >= 1 && max_vcpus <= limit)) {
    throw fail(ctx, "INVAL", `${max_vcpus} vCPUs: a guest with GIC ${gic === "v2" ? "v2" : "v3"} has 1 to ${limit}`);
  }
  if ((info.max_grant_version ?? 0) > MAX_GRANT_VERSION) {
    throw fail(ctx, "INVAL", `max_grant_version = ${info.max_grant_version}: grant tables on Arm have version ${MAX_GRANT_VERSION}`);
  }
  const { max_memkb, target_memkb } = memory(ctx, info);
  return {
    ...info,
    max_vcpus,
    avail_vcpus: (info.avail_vcpus ?? [0]).filter((vcpu) => vcpu < max_vcpus),
    max_memkb,
    target_memkb,
    shadow_memkb: info.shadow_memkb ?? 4 * (256 * max_vcpus + Math.ceil(max_memkb / 1024) + 128),
    max_grant_frames: info.max_grant_frames ?? DEFAULT_GRANT_FRAMES,
    max_maptrack_frames: info.max_maptrack_frames ?? DEFAULT_MAPTRACK_FRAMES,
    device_model_version: info.device_model_version ?? "qemu_xen",
    claim_mode: info.claim_mode ?? false,
    event_channels: info.event_channels ?? DEFAULT_EVENT_CHANNELS,
    acpi: false,
    trap_unmapped_accesses: info.trap_unmapped_accesses ?? true,
    arch_arm: { ...info.arch_arm, gic_version: gic === "default" ? "v3" : gic, nr_spis: spis(ctx, info) },
  };
}

function memory(ctx: Ctx, info: DomainBuildInfo): { max_memkb: number; target_memkb: number } {
  const max_memkb = info.max_memkb ?? info.target_memkb ?? DEFAULT_MEMKB;
  const target_memkb = info.target_memkb ?? max_memkb;
  const mib = (kb: number): string => `${kb / 1024} MiB`;
  if (!(Number.isInteger(target_memkb) && target_memkb > 0)) throw fail(ctx, "INVAL", `memory = ${mib(target_memkb)}: a guest needs memory, in whole KiB`);
  if (target_memkb > max_memkb) throw fail(ctx, "INVAL", `memory = ${mib(target_memkb)} is more than maxmem = ${mib(max_memkb)}`);
  if (max_memkb > MAX_RAM_KB)
    throw fail(ctx, "INVAL", `${target_memkb === max_memkb ? "memory" : "maxmem"} = ${mib(max_memkb)}: a guest of this host has at most ${mib(MAX_RAM_KB)}`);
  return { max_memkb, target_memkb };
}

/** SPIs that the guest's own devices need: the vpl011's, from 32 on. A smaller wish is refused. */
function spis(ctx: Ctx, { arch_arm }: DomainBuildInfo): number {
  const needed = arch_arm?.vuart === "sbsa_uart" ? GUEST_IRQ.VPL011_SPI - 32 + 1 : 0;
  const wanted = arch_arm?.nr_spis ?? needed;
  if (wanted < needed) throw fail(ctx, "INVAL", `nr_spis = ${wanted}: the guest's devices need ${needed}`);
  if (wanted > MAX_SPIS) throw fail(ctx, "INVAL", `nr_spis = ${wanted}: a guest has at most ${MAX_SPIS}`);
  return wanted;
}

/** Things that a config may ask for and this host does not have: better told than left out. */
function refuseUnsupported(ctx: Ctx, { disks, nics, dtdevs, b_info, c_info }: DomainConfig): void {
  const asked: readonly (readonly [wanted: unknown, key: string, why: string])[] = [
    [disks?.length, "disk", "there is no block back end: put the root file system into the ramdisk"],
    [nics?.length, "vif", "there is no network back end"],
    [dtdevs?.length, "dtdev", "there are no devices to pass through"],
    [b_info.irqs?.length, "irqs", "there are no devices to pass through"],
    [b_info.iomem?.length, "iomem", "there are no devices to pass through"],
    [b_info.device_tree, "device_tree", "there are no devices to pass through"],
    [b_info.bootloader, "bootloader", "name the kernel itself with kernel="],
    [b_info.acpi, "acpi", "guests get a device tree only"],
    [b_info.vpmu, "vpmu", "the processor has no PMU"],
    [(b_info.tee ?? "none") !== "none", "tee", "there is no trusted OS"],
    [(b_info.arch_arm?.sve_vl ?? "disabled") !== "disabled", "sve", "the processor has no SVE"],
    [(b_info.arch_arm?.arm_sci?.type ?? "none") !== "none", "arm_sci", "there is no SCMI firmware"],
    [(c_info.passthrough ?? "default") !== "default" && c_info.passthrough !== "disabled", "passthrough", "there are no devices to pass through"],
  ];
  const found = asked.find(([wanted]) => Boolean(wanted));
  if (found !== undefined) throw fail(ctx, "NI", `${found[1]}: not supported on this host, ${found[2]}; take it out of the config`);
}
