import { readFileSync } from "node:fs";
import { findDebianGuest, SHELL_MARKER, whyNoGuest } from "guests";
import { describe, expect, it } from "vitest";
import { type Guest, type GuestOptions, isOff, isSuspended } from "./guest.js";
import { compareStagings } from "./stagings.js";

/** `npm run differential` sets it: more guests, and more of each. */
const isFull = process.env["DIFFERENTIAL"] === "full";
const ROUNDS = isFull ? 3 : 1;
/** Fewer than usual: more of the guest is compiled. */
const HOT_ENTRIES = isFull ? 200 : 1000;

const ROWS: readonly (Pick<GuestOptions, "vcpus" | "gic"> & { readonly flavour: "cloud" | "generic" })[] = isFull
  ? [
      { flavour: "cloud", vcpus: 1, gic: "v3" },
      { flavour: "cloud", vcpus: 2, gic: "v2" },
      { flavour: "generic", vcpus: 1, gic: "v2" },
    ]
  : [{ flavour: "cloud", vcpus: 1, gic: "v3" }];

const guestOf = findDebianGuest;
const missing = guestOf("cloud") === undefined || guestOf("generic") === undefined ? whyNoGuest() : undefined;

describe.skipIf(missing !== undefined)(`Linux does the same interpreted and compiled${missing === undefined ? "" : ` (${missing})`}`, () => {
  it.each(ROWS)("Debian's $flavour kernel on $vcpus vCPUs, vGIC$gic", { timeout: 1_200_000 }, ({ flavour, vcpus, gic }) => {
    const { kernel, initramfs } = guestOf(flavour) ?? {};
    if (kernel === undefined || initramfs === undefined) throw new Error(whyNoGuest());
    const guest: GuestOptions = {
      kernel: readFileSync(kernel),
      initrd: readFileSync(initramfs()),
      cmdline: "console=ttyAMA0 no_console_suspend",
      memory: 128,
      ...(vcpus && { vcpus }),
      ...(gic && { gic }),
    };
    const { output, runs, retired, hash, regions } = compareStagings({ guest, play: playLinux }, { hotEntries: HOT_ENTRIES });
    console.log(`${flavour}: ${retired} instructions in ${runs} runs, ${regions} regions, trace ${hash.toString(16)}`);
    expect(output).toContain("30e14955ebf1352266dc2ff8067e68104607e750abb9d3b36582b8af909fcb58");
    expect(regions).toBeGreaterThan(500);
  });
});

/** Boots, computes, suspends and resumes, the first time long enough to be parked, and powers off. */
function playLinux(guest: Guest): void {
  guest.waitFor(SHELL_MARKER);
  for (let round = 0; round < ROUNDS; round++) {
    guest.waitFor("guest# ");
    guest.type("echo mem > /sys/power/state");
    guest.until("suspend", () => isSuspended(guest), 30);
    const until = guest.now() + (round === 0 ? 1.2e9 : 1e6);
    guest.until("later", () => guest.now() >= until, 10);
    guest.resume();
    guest.waitFor("PM: suspend exit");
    guest.waitFor("guest# ");
    guest.type("dd if=/dev/zero bs=64k count=16 2> /dev/null | sha256sum");
  }
  guest.waitFor("guest# ");
  guest.type("poweroff");
  guest.until("power off", () => isOff(guest), 60);
}
