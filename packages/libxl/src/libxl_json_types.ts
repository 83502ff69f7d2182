/** One field of an IDL struct, as its JSON needs it. `default` is left out when written; `known` puts it back when read. */
export type Field =
  | { readonly kind: "plain" | "defbool"; readonly default?: unknown; readonly known?: boolean }
  | { readonly kind: "union"; readonly default?: undefined }
  | { readonly kind: "struct"; readonly fields: StructFields; readonly always: boolean; readonly default?: undefined }
  | { readonly kind: "structs"; readonly fields: StructFields; readonly default?: undefined; readonly known?: boolean };

/** The fields of a struct in the IDL's order. */
export type StructFields = Readonly<Record<string, Field>>;

const plain: Field = { kind: "plain" };
const defbool: Field = { kind: "defbool" };
const int: Field = { kind: "plain", default: 0 };
const bool: Field = { kind: "plain", default: false };
const union: Field = { kind: "union" };

/** An enumeration (or a number) whose initial value is not written. */
function initially(value: unknown): Field {
  return { kind: "plain", default: value, known: true };
}

function struct(fields: StructFields): Field {
  return { kind: "struct", fields, always: true };
}

function structs(fields: StructFields): Field {
  return { kind: "structs", fields };
}

const CREATE_INFO: StructFields = {
  type: initially("invalid"),
  ssid_label: plain,
  name: plain,
  domid: plain,
  uuid: plain,
  poolid: int,
  pool_name: plain,
  run_hotplug_scripts: defbool,
  driver_domain: defbool,
  passthrough: { kind: "plain", default: "default" },
  xenstore_feature_mask: plain,
  xenstore_quota: plain,
};

const SCHED_PARAMS: StructFields = {
  sched: { kind: "plain", default: "unknown" },
  weight: plain,
  cap: plain,
  period: plain,
  budget: plain,
  extratime: plain,
  slice: plain,
  latency: plain,
};

const ARCH_ARM: StructFields = {
  gic_version: { kind: "plain", default: "default" },
  vuart: { kind: "plain", default: "unknown" },
  sve_vl: { kind: "plain", default: "disabled" },
  nr_spis: int,
  compiler: defbool,
  arm_sci: { kind: "struct", fields: { type: plain }, always: false },
};

const BUILD_INFO: StructFields = {
  max_vcpus: int,
  avail_vcpus: plain,
  vcpu_hard_affinity: plain,
  vcpu_soft_affinity: plain,
  max_memkb: plain,
  target_memkb: plain,
  shadow_memkb: plain,
  exec_ssid_label: plain,
  disable_migrate: defbool,
  blkdev_start: plain,
  max_grant_frames: plain,
  max_maptrack_frames: plain,
  max_grant_version: plain,
  device_model_version: { kind: "plain", default: "unknown" },
  device_model_ssid_label: plain,
  sched_params: struct(SCHED_PARAMS),
  irqs: plain,
  iomem: structs({ start: int, number: int, gfn: plain }),
  claim_mode: defbool,
  event_channels: int,
  kernel: plain,
  cmdline: plain,
  ramdisk: plain,
  device_tree: plain,
  acpi: defbool,
  bootloader: plain,
  bootloader_args: plain,
  bootloader_restrict: defbool,
  bootloader_user: plain,
  tee: { kind: "plain", default: "none" },
  u: union,
  arch_arm: struct(ARCH_ARM),
  arch_x86: struct({}),
  vpmu: defbool,
  llc_colors: plain,
  trap_unmapped_accesses: defbool,
};

const DISK: StructFields = {
  backend_domname: plain,
  pdev_path: plain,
  vdev: plain,
  backend: { kind: "plain", default: "unknown" },
  format: { kind: "plain", default: "unknown" },
  script: plain,
  removable: int,
  readwrite: int,
  is_cdrom: int,
  direct_io_safe: bool,
  discard_enable: defbool,
  specification: { kind: "plain", default: "unknown" },
  trusted: defbool,
  grant_usage: defbool,
};

const NIC: StructFields = {
  backend_domname: plain,
  devid: plain,
  mtu: int,
  model: plain,
  mac: plain,
  ip: plain,
  bridge: plain,
  ifname: plain,
  script: plain,
  nictype: { kind: "plain", default: "unknown" },
  rate_bytes_per_interval: int,
  rate_interval_usecs: int,
  gatewaydev: plain,
  vlan: plain,
  trusted: defbool,
};

/** `libxl_domain_config`. */
export const DOMAIN_CONFIG: StructFields = {
  c_info: struct(CREATE_INFO),
  b_info: struct(BUILD_INFO),
  disks: structs(DISK),
  nics: structs(NIC),
  dtdevs: structs({ path: plain }),
  on_poweroff: initially("destroy"),
  on_reboot: initially("destroy"),
  on_watchdog: initially("destroy"),
  on_crash: initially("destroy"),
  on_soft_reset: initially("destroy"),
};
