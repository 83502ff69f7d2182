import type { DeviceDisk, DeviceNic } from "libxl";
import { XlError } from "./xl_context.js";

const FORMATS = ["raw", "qcow", "qcow2", "vhd", "qed", "empty"] as const;
const BACKENDS = ["phy", "tap", "qdisk", "standalone"] as const;
/** Prefixes of old configs, still taken. */
const OLD_PREFIX = /^(?:(?:file|phy|tap2?|aio|tapdisk|qcow2?|vhd|raw):)+/;

/** Parses a disk specification: positional (target, format, vdev, access), key=value, or both; `target=` takes the rest (xlu_disk_parse). */
export function parseDisk(source: string, spec: string): DeviceDisk {
  const disk: DeviceDisk = { format: "raw", readwrite: 1 };
  const bad = (text: string): never => {
    throw new XlError(`${source}: disk "${spec}": "${text}" is not understood`);
  };
  const choose = <T extends string>(choices: readonly T[], text: string): T => choices.find((choice) => choice === text) ?? bad(text);
  const setAccess = (text: string): number => (["r", "ro"].includes(text) ? 0 : ["w", "rw"].includes(text) ? 1 : bad(text));
  const setVdev = (text: string): void => {
    const [vdev = "", kind] = text.split(":");
    disk.vdev = vdev;
    if (kind === "cdrom") disk.is_cdrom = 1;
    else if (kind !== undefined && kind !== "disk") bad(kind);
  };
  const keys: Readonly<Record<string, (value: string) => void>> = {
    format: (value) => (disk.format = choose(FORMATS, value)),
    vdev: setVdev,
    access: (value) => (disk.readwrite = setAccess(value)),
    backend: (value) => (disk.backend_domname = value),
    backendtype: (value) => (disk.backend = choose(BACKENDS, value)),
    specification: (value) => (disk.specification = choose(["xen", "virtio"] as const, value)),
    devtype: (value) => (disk.is_cdrom = choose(["cdrom", "disk"] as const, value) === "cdrom" ? 1 : 0),
    script: (value) => (disk.script = value),
    grant_usage: (value) => (disk.grant_usage = value === "1"),
  };
  const flags: Readonly<Record<string, () => void>> = {
    cdrom: () => (disk.is_cdrom = 1),
    "direct-io-safe": () => (disk.direct_io_safe = true),
    discard: () => (disk.discard_enable = true),
    "no-discard": () => (disk.discard_enable = false),
    trusted: () => (disk.trusted = true),
    untrusted: () => (disk.trusted = false),
  };
  const positions = [
    (text: string) => (disk.pdev_path = text.replace(OLD_PREFIX, "")),
    (text: string) => (disk.format = choose(FORMATS, text)),
    setVdev,
    (text: string) => (disk.readwrite = setAccess(text)),
  ];
  const hadOldPrefix = OLD_PREFIX.test(spec);
  let rest = spec;
  for (let position = 0; rest !== ""; ) {
    if (rest.startsWith("target=")) {
      disk.pdev_path = rest.slice("target=".length);
      break;
    }
    const comma = rest.indexOf(",");
    const token = (comma < 0 ? rest : rest.slice(0, comma)).trim();
    rest = comma < 0 ? "" : rest.slice(comma + 1);
    const [key = "", ...value] = token.split("=");
    const setter = value.length > 0 ? keys[key] : undefined;
    if (setter !== undefined) setter(value.join("="));
    else if (Object.hasOwn(flags, token)) flags[token]?.();
    else {
      // A prefix has said the format, and old configs leave it out behind one.
      if (position === 1 && hadOldPrefix && token !== "" && !(FORMATS as readonly string[]).includes(token)) position++;
      if (position >= positions.length) bad(token);
      if (token !== "") positions[position]?.(token);
      position++;
    }
  }
  return disk;
}

/** Lists of devices that this host has no back end for, as libxl has for disk and vif: by key, why. */
const NO_BACK_END: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ["p9", "virtio", "channel", "vtpm", "vkb", "vfb", "vdispl", "vsnd", "pvcalls"].map((key) => [key, "there is no back end for such devices"]),
  ),
  ...Object.fromEntries(["pci", "usbctrl", "usbdev"].map((key) => [key, "there are no devices to pass through"])),
  llc_colors: "there is no cache to colour",
};
/** NI, as `xl create`'s exit code. */
const EXIT_NI = 4;

/** Ends the command where a config asks for a device that the guest would not get. */
export function refuseDevices(isAsked: (key: string) => boolean): void {
  const key = Object.keys(NO_BACK_END).find(isAsked);
  if (key !== undefined) throw new XlError(`${key}: not supported on this host, ${NO_BACK_END[key]}; take it out of the config`, EXIT_NI);
}

/** Parses a network interface; a bad one is told and left out, as in xl. */
export function parseVif(spec: string, devid: number, report: (line: string) => void): DeviceNic | undefined {
  const leaveOut = (why: string): undefined => {
    report(`vif "${spec}": ${why}; the interface is left out`);
    return undefined;
  };
  const nic: DeviceNic = { devid, nictype: "vif" };
  const keys: Readonly<Record<string, (value: string) => void>> = {
    type: (value) => (nic.nictype = value === "ioemu" ? "vif_ioemu" : "vif"),
    mac: (value) => (nic.mac = value.toLowerCase()),
    bridge: (value) => (nic.bridge = value),
    gatewaydev: (value) => (nic.gatewaydev = value),
    netdev: (value) => (nic.gatewaydev = value),
    ip: (value) => (nic.ip = value),
    script: (value) => (nic.script = value),
    backend: (value) => (nic.backend_domname = value),
    vifname: (value) => (nic.ifname = value),
    model: (value) => (nic.model = value),
    devid: (value) => (nic.devid = Number(value)),
    mtu: (value) => (nic.mtu = Number(value)),
    vlan: (value) => (nic.vlan = value),
    rate: () => undefined,
  };
  for (const token of spec.split(",").map((part) => part.trim())) {
    const [key = "", ...value] = token.split("=");
    if (token === "") continue;
    if (token === "trusted" || token === "untrusted") nic.trusted = token === "trusted";
    else if (Object.hasOwn(keys, key) && value.length > 0) keys[key]?.(value.join("="));
    else return leaveOut(`"${token}" is not understood`);
  }
  if (nic.mac !== undefined && !/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(nic.mac)) return leaveOut(`"${nic.mac}" is no MAC address`);
  return nic;
}
