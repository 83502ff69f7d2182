import { type Command, XlError } from "./xl_context.js";

/** Why commands of Xen's xl mean nothing here, by reason. Their names are known, so that a script hears why. */
const ABSENT: Readonly<Record<string, string>> = {
  "Xen on Arm has no save and restore": "save restore migrate migrate-receive remus",
  "there is no graphical console": "vncviewer",
  "there are no PCI devices": "pci-attach pci-detach pci-list pci-assignable-add pci-assignable-remove pci-assignable-list",
  "there is no block back end": "block-attach block-list block-detach cd-insert cd-eject",
  "there is no network back end": "network-attach network-list network-detach",
  "there is no back end for such devices":
    "channel-list devd vtpm-attach vtpm-list vtpm-detach vkb-attach vkb-list vkb-detach vdispl-attach vdispl-list vdispl-detach " +
    "vsnd-attach vsnd-list vsnd-detach usbctrl-attach usbctrl-detach usbdev-attach usbdev-detach usb-list",
  "there is no memory sharing": "sharing",
  "the scheduler is credit2: see xl sched-credit2": "sched-credit sched-rtds",
  "there is no Flask policy": "getenforce setenforce loadpolicy",
  "x86 processors alone have it": "psr-cmt-attach psr-cmt-detach psr-cmt-show psr-cat-set psr-cat-show psr-hwinfo psr-mba-set psr-mba-show",
  "there is no QEMU": "qemu-monitor-command",
  "there are no devices to pass through": "dt-overlay",
};

/** Rows for the command table: each says in one line why it is not here, and exits 1. */
export const ABSENT_COMMANDS: readonly Command[] = Object.entries(ABSENT).flatMap(([why, names]) =>
  names.split(" ").map((name) => ({
    name,
    summary: `Not here: ${why}`,
    usage: "",
    options: [],
    modifies: false,
    dryRun: false,
    isHidden: true,
    takesAnything: true,
    run: () => Promise.reject(new XlError(`${name} means nothing here: ${why}`)),
  })),
);
