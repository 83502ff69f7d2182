import { spawn } from "node:child_process";
import { once } from "node:events";
import { type Progress, writeOwnGuest, xl, xlOk } from "guests";
import type { BenchHost } from "./host.js";
import { median, type Row, row } from "./report.js";

const ROUNDS = 10;
/** XEN_DOMINF_shutdown. */
const SHUTDOWN = 1 << 2;

/**
 * Inside the host, over its socket, with our own small guest, which suspends on a key press and prints as the first thing when it is resumed.
 * Both are upper bounds: `suspend-to-shutdown` begins with the key press, `resume-to-first-output` ends behind the guest's first instruction.
 */
export async function latencyRows(host: BenchHost, assemble: (source: string) => Uint8Array, progress: Progress): Promise<Row[]> {
  const domain = "latency";
  await xlOk(["create", "-q", writeOwnGuest(domain, assemble)], host.env);
  const { xenctrl } = host;
  const domid = Number((await xlOk(["domid", domain], host.env)).stdout);
  const stream = await xenctrl.openConsole(domid, "vuart", 0);
  let text = "";
  let onText = (): void => {};
  stream.onOutput((bytes) => {
    text += Buffer.from(bytes).toString("latin1");
    onText();
  });
  const printed = (wanted: string): Promise<number> =>
    new Promise((resolve) => {
      onText = () => {
        if (!text.includes(wanted)) return;
        text = text.slice(text.indexOf(wanted) + wanted.length);
        onText = () => {};
        resolve(performance.now());
      };
      onText();
    });
  const isSuspended = async (): Promise<boolean> => {
    const [info] = await xenctrl.getDomainInfoList(domid, 1);
    return info?.domid === domid && (info.flags & SHUTDOWN) !== 0;
  };

  const suspends: number[] = [];
  const resumes: number[] = [];
  await progress.step(`suspend and resume of a small guest, ${ROUNDS} times`, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      await printed("guest# ");
      const changed = new Promise<number>((resolve) => {
        const stop = xenctrl.onDomainChange(() => {
          stop();
          resolve(performance.now());
        });
      });
      const typed = performance.now();
      await stream.write(Buffer.from("s\r"));
      suspends.push((await changed) - typed);
      if (!(await isSuspended())) throw new Error("The small guest did not suspend.");
      const start = performance.now();
      await xenctrl.resumeDomain(domid);
      resumes.push((await printed("resumed")) - start);
    }
  });
  stream.close();
  await xlOk(["destroy", domain], host.env);
  return [row("suspend-to-shutdown", "ms", median(suspends)), row("resume-to-first-output", "ms", median(resumes))];
}

/** `xl list` as a whole command, beside a Node that does nothing. */
export async function commandRows(host: BenchHost, progress: Progress): Promise<Row[]> {
  const lists: number[] = [];
  const nothings: number[] = [];
  await progress.step(`xl list, ${ROUNDS} times`, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      lists.push((await xl(["list"], host.env)).milliseconds);
      const start = performance.now();
      await once(spawn(process.execPath, ["-e", "0"], { stdio: "ignore" }), "exit");
      nothings.push(performance.now() - start);
    }
  });
  return [row("xl-list", "ms", median(lists)), row("node-alone", "ms", median(nothings))];
}
