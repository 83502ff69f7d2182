import { spawn } from "node:child_process";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { type Progress, writeConfig, writeOwnGuest, xl, xlOk } from "guests";
import { hostPaths } from "libxl";
import type { BenchHost } from "./host.js";
import type { LinuxImage } from "./linux.js";
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
  let seen = "";
  let onText = (): void => {};
  stream.onOutput((bytes) => {
    seen += Buffer.from(bytes).toString("latin1");
    onText();
  });
  const printed = (wanted: string): Promise<number> =>
    new Promise((resolve) => {
      onText = () => {
        if (!seen.includes(wanted)) return;
        seen = seen.slice(seen.indexOf(wanted) + wanted.length);
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
  const inHost: number[] = [];
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
      const before = await resumeSeconds(host);
      const start = performance.now();
      await xenctrl.resumeDomain(domid);
      resumes.push((await printed("resumed")) - start);
      inHost.push(((await resumeSeconds(host)) - before) * 1000);
    }
  });
  stream.close();
  await xlOk(["destroy", domain], host.env);
  return [
    row("suspend-to-shutdown", "ms", median(suspends)),
    row("resume-to-first-output", "ms", median(resumes)),
    row("resume-in-host", "ms", median(inHost)),
  ];
}

/** What all resumes so far took inside the host together, from its metrics. */
async function resumeSeconds({ env }: BenchHost): Promise<number> {
  const response = request({ socketPath: hostPaths(env).metrics, path: "/metrics" }).end();
  const [message] = (await once(response, "response")) as [IncomingMessage];
  return Number(/^xen_domain_resume_seconds_sum (.+)$/m.exec(await text(message))?.[1]);
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
  const [list, nothing] = [median(lists), median(nothings)];
  return [row("xl-list", "ms", list), row("node-alone", "ms", nothing), row("xl-list-to-node", "times", list / nothing)];
}

/** `xl create -p` of a guest of 512 MiB as a whole command: the domain is built, and nothing of it has run. */
export async function createRows({ kernel, initramfs }: LinuxImage, host: BenchHost, progress: Progress): Promise<Row[]> {
  const config = writeConfig("created", { kernel, ramdisk: initramfs, cmdline: "console=hvc0", memory: 512, vcpus: 1 });
  const creates: number[] = [];
  await progress.step(`xl create of a paused guest, ${ROUNDS} times`, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      creates.push((await xlOk(["create", "-q", "-p", config], host.env)).milliseconds);
      await xlOk(["destroy", "created"], host.env);
    }
  });
  return [row("xl-create-paused", "ms", median(creates))];
}
