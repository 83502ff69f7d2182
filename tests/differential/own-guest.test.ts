import { assemble } from "aarch64";
import { ownGuestSource } from "guests";
import { describe, expect, it } from "vitest";
import { type Guest, isOff, isSuspended } from "./guest.js";
import { compareStagings, type Scenario, StagingsDiffer } from "./stagings.js";

const { bytes } = assemble(ownGuestSource());
const wordOf = (source: string): number => new DataView(assemble(source).bytes.buffer).getUint32(0, true);

/** Talks to the guest: each line at its prompt, then off. */
const talk =
  (...lines: readonly string[]) =>
  (guest: Guest): void => {
    for (const line of lines) {
      guest.waitFor("guest# ");
      guest.type(line);
      if (line !== "mem") continue;
      guest.until("suspend", () => isSuspended(guest), 10);
      guest.resume();
    }
    guest.waitFor("guest# ");
    guest.type("off");
    guest.until("power off", () => isOff(guest), 10);
  };

describe("our own guest does the same interpreted and compiled", () => {
  it.each<[string, Omit<Scenario["guest"], "kernel">, Scenario["play"]]>([
    ["on one vCPU, suspended three times", { gic: "v3" }, talk("ticks", "mem", "nonsense", "mem", "log", "mem", "ticks")],
    ["on two vCPUs", { vcpus: 2, gic: "v2", nsPerInstruction: 100 }, talk("smp", "ticks", "mem", "smp")],
    ["with random instructions", { gic: "v3" }, hostile("garbage")],
    ["with random accesses", { gic: "v2" }, hostile("hammer")],
  ])("%s", { timeout: 120_000 }, (_title, shape, play) => {
    const { runs, retired, regions } = compareStagings({ guest: { ...shape, kernel: bytes }, play }, { hotEntries: 20 });
    expect(runs).toBeGreaterThan(20);
    expect(retired).toBeGreaterThan(5000);
    expect(regions).toBeGreaterThan(0);
  });
});

/** The traces of the guests below: it is one guest. */
const traces = new Set<bigint>();

it.each([
  ["at once", () => 0],
  ["after three runs", () => 3],
  ["sooner or later, and not in order", (n: number) => (n * 7) % 40],
])("it does not matter when the compiler answers: %s", { timeout: 120_000 }, (_title, delay) => {
  const { regions, hash } = compareStagings({ guest: { kernel: bytes }, play: talk("ticks", "mem", "ticks") }, { hotEntries: 5, delay });
  expect(regions).toBeGreaterThan(0);
  traces.add(hash);
  expect(traces.size).toBe(1);
});

/** Lets it misbehave for a while of its time. */
function hostile(command: string): (guest: Guest) => void {
  return (guest) => {
    guest.waitFor("guest# ");
    guest.type(command);
    const end = guest.now() + 50e6;
    guest.until("end", () => guest.now() >= end || guest.domain.shutdownState === "complete", 1);
  };
}

it("a wrong instruction in the compiler is found and named", { timeout: 120_000 }, () => {
  // The digit, where the guest prints a number.
  const [right, wrong] = ["msub x2, x1, x5, x0", "madd x2, x1, x5, x0"].map(wordOf);
  let error: unknown;
  try {
    compareStagings(
      { guest: { kernel: bytes }, play: talk("ticks", "ticks", "ticks") },
      { hotEntries: 2, alter: (word) => (word === right ? (wrong ?? 0) : word) },
    );
  } catch (caught) {
    error = caught;
  }
  if (!(error instanceof StagingsDiffer)) throw error;
  expect(error.divergence).toMatchObject({ word: right, text: "msub x2, x1, x5, x0", isOneInstruction: true });
  expect(error.message).toContain("9b058022  msub x2, x1, x5, x0");
});
