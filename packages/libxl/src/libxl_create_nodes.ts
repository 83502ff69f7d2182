import { path } from "./libxl_paths.js";
import type { DomainConfig } from "./libxl_types.js";
import { availabilityNodes } from "./libxl_vcpu.js";
import { type NewNode, PERMISSIONS } from "./libxl_xshelp.js";

/** Nodes below the domain's that the toolstack owns and the guest reads. */
const DIRECTORIES = ["cpu", "memory", "device", "control"] as const;

/** Nodes below the domain's that belong to the guest; empty until it writes them. */
const GUEST_NODES = [
  "control/shutdown",
  "control/sysrq",
  "control/feature-poweroff",
  "control/feature-reboot",
  "control/feature-suspend",
  "device/suspend/event-channel",
  "data",
  "drivers",
  "feature",
  "attr",
  "error",
] as const;

/** What the platform has for a guest to know of. */
const PLATFORM_FEATURES = ["control/platform-feature-multiprocessor-suspend", "control/platform-feature-xs_reset_watches"] as const;

/** The nodes of a new domain, parents first: what is made below a node inherits its permissions (libxl__domain_make). */
export function newDomainNodes(domid: number, { c_info }: DomainConfig): NewNode[] {
  const [dom, vm, libxl] = [path.dom(domid), path.vm(c_info.uuid ?? ""), path.libxl(domid)];
  const readOnly = PERMISSIONS.readOnly(domid);
  return [
    { path: dom, permissions: readOnly },
    { path: vm, permissions: readOnly },
    { path: libxl, permissions: PERMISSIONS.none() },
    { path: `${dom}/vm`, value: vm },
    { path: `${dom}/name`, value: c_info.name },
    ...DIRECTORIES.map((node) => ({ path: `${dom}/${node}`, permissions: readOnly })),
    ...GUEST_NODES.map((node) => ({ path: `${dom}/${node}`, value: "", permissions: PERMISSIONS.readWrite(domid) })),
    ...PLATFORM_FEATURES.map((node) => ({ path: `${dom}/${node}`, value: "1" })),
    { path: `${dom}/domid`, value: String(domid) },
    { path: `${vm}/uuid`, value: c_info.uuid ?? "" },
    { path: `${vm}/name`, value: c_info.name },
    { path: `${libxl}/type`, value: "pvh" },
    { path: `${libxl}/dm-version`, value: "qemu_xen" },
  ];
}

/** A page that the guest shares with a daemon, and its event channel. */
export interface Ring {
  readonly gfn: number;
  readonly port: number;
}

/** What is known when the domain is built: memory, vCPUs, the rings of store and console, and when it was (libxl__build_post). */
export function builtDomainNodes(domid: number, { b_info, c_info }: DomainConfig, built: { store: Ring; console: Ring; startTime: string }): NewNode[] {
  const dom = path.dom(domid);
  const below = (directory: string, values: Readonly<Record<string, string>>): NewNode[] =>
    Object.entries(values).map(([name, value]) => ({ path: `${directory}/${name}`, value }));
  return [
    ...below(`${dom}/memory`, { "static-max": String(b_info.max_memkb), target: String(b_info.target_memkb), videoram: "-1" }),
    ...below(`${dom}/store`, { port: String(built.store.port), "ring-ref": String(built.store.gfn) }),
    ...availabilityNodes(domid, b_info.max_vcpus ?? 1, (vcpu) => b_info.avail_vcpus?.includes(vcpu) === true),
    ...below(path.vm(c_info.uuid ?? ""), { start_time: built.startTime }),
    ...consoleNodes(domid, built.console, below),
  ];
}

/** The primary console's two ends and libxl's own note of it (libxl__device_console_add). */
function consoleNodes(domid: number, ring: Ring, below: (directory: string, values: Readonly<Record<string, string>>) => NewNode[]): NewNode[] {
  const [frontend, backend, libxl] = [`${path.dom(domid)}/console`, path.consoleBackend(domid), `${path.libxl(domid)}/device/console/0`];
  const backendNodes = { frontend, "frontend-id": String(domid), online: "1", state: "1", protocol: "vt100" };
  return [
    { path: frontend, permissions: PERMISSIONS.readOnly(domid) },
    ...below(frontend, {
      backend,
      "backend-id": "0",
      limit: "1048576",
      type: "xenconsoled",
      output: "pty",
      tty: "",
      port: String(ring.port),
      "ring-ref": String(ring.gfn),
    }),
    { path: backend, permissions: PERMISSIONS.readOnly(domid) },
    ...below(backend, backendNodes),
    ...below(libxl, { frontend, backend, "frontend-id": String(domid) }),
  ];
}
