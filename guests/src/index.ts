export { cacheFolder } from "./cache.js";
export { cpio, type CpioEntry } from "./cpio.js";
export { debianKernels, fetchDebianGuests, findDebianGuest, whyNoGuest, type DebianGuest, type Flavour } from "./debian.js";
export { INIT_MARKER, makeInitramfs, SHELL_MARKER, type ExtraPrograms } from "./initramfs.js";
export { createProgress, type Progress } from "./progress.js";
