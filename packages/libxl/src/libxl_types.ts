/**
 * The types of libxl_types.idl that an Arm guest needs. Fields are spelt as in the IDL, because they are also the names in
 * libxl's JSON; an absent field is libxl's default. Enumerations are their JSON strings.
 * @module
 */
import type { ActionOnShutdown, DomainType, Scheduler, ShutdownReason } from "./include/libxl.js";

/** `libxl_passthrough`. */
export type Passthrough = "default" | "disabled" | "enabled" | "sync_pt" | "share_pt";
/** `libxl_gic_version`. */
export type GicVersion = "default" | "v2" | "v3";
/** `libxl_vuart_type`. */
export type VuartType = "unknown" | "sbsa_uart";
/** `libxl_tee_type`. */
export type TeeType = "none" | "optee" | "ffa";
/** `libxl_console_type`. */
export type ConsoleType = "unknown" | "serial" | "pv" | "vuart";

/** `libxl_domain_create_info`. */
export interface DomainCreateInfo {
  type?: DomainType;
  ssid_label?: string;
  name: string;
  /** Wanted id; absent for any. */
  domid?: number;
  /** 8-4-4-4-12 hexadecimal digits. */
  uuid?: string;
  poolid?: number;
  pool_name?: string;
  run_hotplug_scripts?: boolean;
  driver_domain?: boolean;
  passthrough?: Passthrough;
  /** Features of xenstore that the guest is offered, XENSTORE_SERVER_FEATURE bits; all if absent. */
  xenstore_feature_mask?: number;
  /** Quotas of xenstore for the domain, by name; those that are not named are the global ones. */
  xenstore_quota?: Readonly<Record<string, number>>;
}

/** `libxl_domain_sched_params`. Absent fields keep what the scheduler has. */
export interface DomainSchedParams {
  sched?: Scheduler;
  weight?: number;
  cap?: number;
  period?: number;
  slice?: number;
  latency?: number;
  extratime?: number;
  budget?: number;
}

/** `libxl_iomem_range`, in pages of 4 KiB; `gfn` absent means mapped where it is. */
export interface IomemRange {
  start: number;
  number: number;
  gfn?: number;
}

/** The Arm part of `libxl_domain_build_info`. */
export interface BuildInfoArm {
  gic_version?: GicVersion;
  vuart?: VuartType;
  sve_vl?: string;
  nr_spis?: number;
  arm_sci?: { type: "none" | "scmi_smc" };
  /** Compile hot guest code (the default) or interpret everything. Not in Xen. */
  compiler?: boolean;
}

/** `libxl_domain_build_info`. Memory sizes are KiB. */
export interface DomainBuildInfo {
  max_vcpus?: number;
  /** The vCPUs that are online at the start. */
  avail_vcpus?: number[];
  vcpu_hard_affinity?: number[][];
  vcpu_soft_affinity?: number[][];
  max_memkb?: number;
  target_memkb?: number;
  shadow_memkb?: number;
  exec_ssid_label?: string;
  disable_migrate?: boolean;
  blkdev_start?: string;
  max_grant_frames?: number;
  max_maptrack_frames?: number;
  max_grant_version?: number;
  device_model_version?: "unknown" | "qemu_xen_traditional" | "qemu_xen";
  device_model_ssid_label?: string;
  sched_params?: DomainSchedParams;
  irqs?: number[];
  iomem?: IomemRange[];
  claim_mode?: boolean;
  event_channels?: number;
  kernel?: string;
  cmdline?: string;
  ramdisk?: string;
  device_tree?: string;
  acpi?: boolean;
  bootloader?: string;
  bootloader_args?: string[];
  bootloader_restrict?: boolean;
  bootloader_user?: string;
  tee?: TeeType;
  llc_colors?: number[];
  trap_unmapped_accesses?: boolean;
  arch_arm?: BuildInfoArm;
  vpmu?: boolean;
}

/** `libxl_device_disk`. */
export interface DeviceDisk {
  backend_domname?: string;
  pdev_path?: string;
  vdev?: string;
  backend?: "unknown" | "phy" | "tap" | "qdisk" | "standalone";
  format?: "unknown" | "qcow" | "qcow2" | "vhd" | "raw" | "empty" | "qed";
  script?: string;
  removable?: number;
  readwrite?: number;
  is_cdrom?: number;
  direct_io_safe?: boolean;
  discard_enable?: boolean;
  specification?: "unknown" | "xen" | "virtio";
  trusted?: boolean;
  grant_usage?: boolean;
}

/** `libxl_device_nic`. */
export interface DeviceNic {
  backend_domname?: string;
  devid?: number;
  mtu?: number;
  model?: string;
  mac?: string;
  ip?: string;
  bridge?: string;
  ifname?: string;
  script?: string;
  nictype?: "unknown" | "vif_ioemu" | "vif";
  rate_bytes_per_interval?: number;
  rate_interval_usecs?: number;
  gatewaydev?: string;
  vlan?: string;
  trusted?: boolean;
}

/** `libxl_domain_config`. */
export interface DomainConfig {
  c_info: DomainCreateInfo;
  b_info: DomainBuildInfo;
  disks?: DeviceDisk[];
  nics?: DeviceNic[];
  dtdevs?: { path: string }[];
  on_poweroff?: ActionOnShutdown;
  on_reboot?: ActionOnShutdown;
  on_watchdog?: ActionOnShutdown;
  on_crash?: ActionOnShutdown;
  on_soft_reset?: ActionOnShutdown;
}

/** `libxl_dominfo`. */
export interface Dominfo {
  uuid: string;
  domid: number;
  ssidref: number;
  ssid_label: string | undefined;
  running: boolean;
  blocked: boolean;
  paused: boolean;
  shutdown: boolean;
  dying: boolean;
  /** `unknown` unless `shutdown`; a code that libxl has no name for is also `unknown`, see `shutdown_code`. */
  shutdown_reason: ShutdownReason;
  /** The hypervisor's number while shut down, else -1. */
  shutdown_code: number;
  outstanding_memkb: number;
  current_memkb: number;
  shared_memkb: number;
  paged_memkb: number;
  max_memkb: number;
  /** Nanoseconds. */
  cpu_time: number;
  vcpu_max_id: number;
  vcpu_online: number;
  cpupool: number;
  domain_type: DomainType;
  gpaddr_bits: number;
}

/** `libxl_vcpuinfo`. */
export interface Vcpuinfo {
  vcpuid: number;
  cpu: number;
  online: boolean;
  blocked: boolean;
  running: boolean;
  /** Nanoseconds. */
  vcpu_time: number;
  /** pCPUs, ascending. */
  cpumap: number[];
  cpumap_soft: number[];
}

/** `libxl_physinfo`, with what `xl info` prints beside it. */
export interface Physinfo {
  threads_per_core: number;
  cores_per_socket: number;
  max_cpu_id: number;
  nr_cpus: number;
  cpu_khz: number;
  total_pages: number;
  free_pages: number;
  scrub_pages: number;
  outstanding_pages: number;
  sharing_freed_pages: number;
  sharing_used_frames: number;
  max_possible_mfn: number;
  nr_nodes: number;
  hw_cap: number[];
  /** In Xen's order: pv hvm hvm_directio ... gnttab-v1 gnttab-v2, those that are there. */
  capabilities: string[];
  arch_capabilities: number;
  /** CPUs in no pool. */
  free_cpus: number;
}

/** `libxl_version_info`. */
export interface VersionInfo {
  xen_version_major: number;
  xen_version_minor: number;
  xen_version_extra: string;
  compiler: string;
  compile_by: string;
  compile_domain: string;
  compile_date: string;
  capabilities: string;
  changeset: string;
  virt_start: bigint;
  pagesize: number;
  commandline: string;
  build_id: string;
}

/** `libxl_cpupoolinfo`. */
export interface Cpupoolinfo {
  poolid: number;
  pool_name: string;
  sched: Scheduler;
  n_dom: number;
  cpumap: number[];
}

/** What a new CPU pool is made of. */
export interface CpupoolConfig {
  readonly name: string;
  readonly sched: Scheduler;
  /** CPUs, which must be free. */
  readonly cpumap: readonly number[];
  /** A random one if left out. */
  readonly uuid?: string;
  /** The id that it is to have; any if left out. */
  readonly poolid?: number;
}

/** An event of `libxl_event`, as far as a domain's end goes. */
export type DomainEvent =
  | { readonly type: "domain_shutdown"; readonly domid: number; readonly shutdown_reason: ShutdownReason; readonly shutdown_code: number }
  | { readonly type: "domain_death"; readonly domid: number };
