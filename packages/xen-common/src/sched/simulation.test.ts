import { describe, expect, test } from "vitest";
import { createRandom } from "../../test/random.js";
import { createSimulation, type Habit, type SimulatedGuest } from "../../test/simulation.js";
import type { Time } from "../arch.js";
import { CREDIT2 } from "./credit2-types.js";

const US = 1e3;
const MS = 1e6;
const SECOND = 1e9;
const PCPUS = 8;
const DOMAINS = 1000;

/** Something short now and then, as idle guests have it. */
function mostlyAsleep(seed: number): Habit {
  const next = createRandom(seed);
  return { run: () => 20 * US + Math.floor(80 * US * next()), sleep: () => 100 * MS + Math.floor(900 * MS * next()) };
}

const sum = (times: readonly Time[]): Time => times.reduce((a, b) => a + b, 0);
/** How far `time` is off what it should be, as a fraction of that. */
const error = (time: Time, wanted: Time): number => Math.abs(time / wanted - 1);

describe(`${DOMAINS} domains on ${PCPUS} pCPUs, simulated`, { timeout: 120_000 }, () => {
  test("busy ones with four weights: a minute is shared by weight within one percent, nobody starves, no credit is lost", () => {
    const simulation = createSimulation(PCPUS);
    const minute = 60 * SECOND;
    const queues = Array.from({ length: PCPUS }, (_, pin) =>
      Array.from({ length: DOMAINS / PCPUS }, (__, i) => simulation.add({ weight: [128, 256, 384, 512][i % 4]!, pin })),
    );
    simulation.runUntil(minute);
    expect(simulation.wasted).toEqual([]);
    for (const guests of queues) {
      const weights = sum(guests.map(({ unit }) => unit.dom.weight));
      expect(sum(guests.map((guest) => guest.ran()))).toBe(minute);
      for (const guest of guests) expect(error(guest.ran(), (minute * guest.unit.dom.weight) / weights)).toBeLessThan(0.01);
      // Each gets its turn before anybody has a second one's worth of credit: at most a whole credit of all others, at their speed.
      const round = sum(guests.map(({ unit }) => (CREDIT2.init * unit.dom.weight) / 512 + CREDIT2.ratelimit));
      for (const { longestWait } of guests) expect(longestWait).toBeLessThan(round);
      // All were given the same, but for what the ones got that came from another pCPU, and burned exactly what their run time costs at their weight.
      const waiting = guests.filter(({ vcpu }) => !vcpu.isRunning);
      const given = waiting.map((guest) => guest.unit.credit + Math.floor((guest.ran() * 512) / guest.unit.dom.weight));
      expect([0, CREDIT2.migrateCompensation]).toContain(Math.max(...given) - Math.min(...given));
      expect(new Set(given).size).toBeLessThanOrEqual(2);
    }
  });

  test("busy ones with caps among sleeping ones: each gets its cap within one percent, not more and not less", () => {
    const simulation = createSimulation(PCPUS);
    const pin = (i: number): number => i % PCPUS;
    const capped = Array.from({ length: 160 }, (_, i) => simulation.add({ cap: 1 + (Math.floor(i / PCPUS) % 5), pin: pin(i) }));
    for (let i = capped.length; i < DOMAINS; i++) simulation.add({ habit: mostlyAsleep(i), pin: pin(i) });
    simulation.runUntil(20 * SECOND);
    expect(simulation.wasted).toEqual([]);
    for (const guest of capped) expect(error(guest.ran(), (20 * SECOND * guest.unit.dom.cap) / 100)).toBeLessThan(0.01);
  });

  test("sleeping ones among busy ones: all run within the rate limit and the others' short runs of their wakes, and the busy ones share the rest", () => {
    const simulation = createSimulation(PCPUS);
    const busy = Array.from({ length: 5 * PCPUS }, () => simulation.add());
    const sleepers: SimulatedGuest[] = [];
    for (let i = busy.length; i < DOMAINS; i++) sleepers.push(simulation.add({ habit: mostlyAsleep(i) }));
    simulation.runUntil(20 * SECOND);
    expect(simulation.wasted).toEqual([]);
    for (const { latencies } of sleepers) {
      expect(latencies.length).toBeGreaterThan(20);
      expect(Math.max(...latencies)).toBeLessThan(2 * CREDIT2.ratelimit);
    }
    const rest = PCPUS * 20 * SECOND - sum(sleepers.map((guest) => guest.ran()));
    for (const guest of busy) expect(error(guest.ran(), rest / busy.length)).toBeLessThan(0.01);
  });
});
