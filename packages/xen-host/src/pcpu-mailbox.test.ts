import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import { awaitTurn, beginTurn, isThreadsTurn, type Mailbox, mailboxOn, passTurn, takeTurnBack, TURN, WORD } from "./pcpu-mailbox.js";

const threads: Worker[] = [];
afterEach(async () => {
  for (const thread of threads.splice(0)) await thread.terminate();
});

/** A mailbox whose thread has begun. Another thread runs `script` on its words, once that is up. */
async function begunWith(script: string): Promise<Mailbox> {
  const mail = mailboxOn();
  passTurn(mail, TURN.thread);
  expect(beginTurn(mail)).toBe(true);
  const go = new Int32Array(new SharedArrayBuffer(4));
  const source = `
    const { parentPort, workerData: { buffer, go } } = require("node:worker_threads");
    const words = new Int32Array(buffer);
    const sleep = (milliseconds) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
    parentPort.postMessage("up");
    Atomics.wait(go, 0, 0);
    ${script}`;
  const thread = new Worker(source, { eval: true, workerData: { buffer: mail.words.buffer, go } });
  threads.push(thread);
  await new Promise((resolve) => thread.once("message", resolve));
  Atomics.store(go, 0, 1);
  Atomics.notify(go, 0);
  return mail;
}

const NOTIFY = `Atomics.notify(words, ${WORD.turn});`;
const PASS = `Atomics.store(words, ${WORD.turn}, ${TURN.hypervisor}); ${NOTIFY}`;

describe("the turn", () => {
  it("that the thread has not begun with can be taken back, and then not be begun with", () => {
    const mail = mailboxOn();
    passTurn(mail, TURN.thread);
    expect([isThreadsTurn(mail), takeTurnBack(mail), beginTurn(mail), isThreadsTurn(mail)]).toEqual([true, true, false, false]);
  });

  it("that the thread has begun with cannot be taken back, nor be begun with twice", () => {
    const mail = mailboxOn();
    passTurn(mail, TURN.thread);
    expect([beginTurn(mail), beginTurn(mail), takeTurnBack(mail), isThreadsTurn(mail)]).toEqual([true, false, false, true]);
  });

  it.each([TURN.hypervisor, TURN.failed])("is the hypervisor's as %i, and awaited at once", (turn) => {
    const mail = mailboxOn();
    passTurn(mail, turn);
    expect([isThreadsTurn(mail), beginTurn(mail), awaitTurn(mail, 0.001)]).toEqual([false, false, true]);
  });

  it("is awaited through notifications that come late, from the turn before", async () => {
    const mail = await begunWith(`for (let i = 0; i < 20; i++) { ${NOTIFY} sleep(5); } ${PASS}`);
    expect(awaitTurn(mail, 10_000)).toBe(true);
    expect(isThreadsTurn(mail)).toBe(false);
  });

  it("is awaited as long as was said, and no notification shortens that", async () => {
    const mail = await begunWith(`for (;;) { ${NOTIFY} sleep(130); }`);
    expect(awaitTurn(mail, 300)).toBe(false);
    expect(isThreadsTurn(mail)).toBe(true);
  });
});
