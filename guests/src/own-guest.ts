import { readFileSync } from "node:fs";

/**
 * The source of a whole guest in A64 assembly (files/own-guest.s), for machines that cannot fetch a Linux kernel and for tests of guests that
 * misbehave. Its commands: `mem`, `log`, `off`, `reset`, `ticks`, `smp`, `deny`, `crash`, `spin`, `unmapped`, `garbage`, `hammer`.
 */
export function ownGuestSource(): string {
  return readFileSync(new URL("../files/own-guest.s", import.meta.url), "utf8");
}
