import { MessageChannel } from "node:worker_threads";
import { expect, it } from "vitest";
import { createRunLoop } from "./run-loop.js";

const MS = 1e6;
const now = (): number => performance.now() * MS;

it("sleeps until the next timer, to a fraction of a millisecond, and does not spin", async () => {
  const start = now();
  const calls: number[] = [];
  const loop = createRunLoop(
    {
      runPcpu: () => {
        calls.push(now() - start);
        if (calls.length === 1) return { ran: true };
        return now() - start < 20 * MS ? { ran: false, idleUntil: start + 20 * MS } : { ran: false, idleUntil: undefined };
      },
    },
    { pcpus: 1, now },
  );
  loop.kick();
  await new Promise((resolve) => setTimeout(resolve, 60));
  loop.stop();
  expect(calls.at(-1)).toBeGreaterThanOrEqual(20 * MS);
  expect(calls.length).toBeLessThan(8);
});

it("lets messages through while a guest computes", async () => {
  let turns = 0;
  const loop = createRunLoop({ runPcpu: () => (turns++, { ran: true as const }) }, { pcpus: 1, now });
  loop.kick();
  const { port1, port2 } = new MessageChannel();
  for (let i = 0; i < 5; i++) {
    const before = turns;
    while (turns === before) await new Promise((resolve) => setTimeout(resolve, 1));
    const arrived = new Promise((resolve) => port1.once("message", resolve));
    port2.postMessage("ping");
    await arrived;
  }
  loop.stop();
  port1.close();
  expect(turns).toBeGreaterThanOrEqual(5);
});

it("starts again when it is kicked, and not after it was stopped", async () => {
  let turns = 0;
  const tick = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  const loop = createRunLoop({ runPcpu: () => (turns++, { ran: false, idleUntil: undefined }) }, { pcpus: 2, now });
  loop.kick();
  loop.kick();
  await tick();
  expect(turns).toBe(2);
  loop.kick();
  await tick();
  expect(turns).toBe(4);
  loop.stop();
  loop.kick();
  await tick();
  expect(turns).toBe(4);
});
