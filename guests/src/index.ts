export { cacheFolder } from "./cache.js";
export { type Overrides, writeConfig, writeOwnGuest } from "./config.js";
export { attachConsole, type ConsoleOptions, driveConsole, type GuestConsole } from "./console.js";
export { type CpioEntry, cpio } from "./cpio.js";
export { type DebianGuest, debianKernels, type Flavour, fetchDebianGuests, findDebianGuest, whyNoGuest } from "./debian.js";
export { type ExtraPrograms, INIT_MARKER, makeInitramfs, SHELL_MARKER } from "./initramfs.js";
export { ownGuestSource } from "./own-guest.js";
export { createProgress, type Progress } from "./progress.js";
export { type XlResult, xl, xlOk, xlPath } from "./xl.js";
