import { xlOk } from "guests";
import { withKnownCode } from "./boot.js";
import { cpuTime } from "./account.js";
import { type BenchHost, startHost } from "./host.js";
import { bootOurs, bootQemu, type LinuxImage } from "./linux.js";
import type { Plan } from "./plan.js";
import { median, type Row, row } from "./report.js";

const PATIENCE = 120;
const SUSPENDS = 10;
const SUSPEND = "echo mem > /sys/power/state";
/** Milliseconds that a QEMU must do nothing until its guest is taken for asleep. */
const STILL = 100;

/**
 * The scenario of `npm start` with ten suspends: boot to the prompt, each time suspend and resume to the prompt, power off. Rests in suspension are not counted.
 *
 * QEMU's virt machine has no SYSTEM_SUSPEND, so there `mem` means s2idle, and a key on the console that may wake it brings the guest back: the nearest
 * that it can do. It is less than what is asked of ours, whose guest gives its CPU's state up and is resumed by a command.
 */
export async function scenarioRows(image: LinuxImage, { rounds, choice, hasQemu, progress }: Plan): Promise<Row[]> {
  if (!choice.needs("scenario")) return [];
  const ours: number[] = [];
  const again: number[] = [];
  const qemu: number[] = [];
  await withKnownCode(image, async (settings) => {
    await playOurs(image, settings);
    for (let round = 1; round <= rounds; round++) {
      await progress.step(`scenario with ${SUSPENDS} suspends, ${round} of ${rounds}`, async () => {
        ours.push(await playOurs(image));
        again.push(await playOurs(image, settings));
        if (hasQemu) qemu.push(await playQemu(image));
      });
    }
  });
  const theirs = hasQemu ? median(qemu) : null;
  return [row("scenario", "s", median(ours), theirs), row("scenario-again", "s", median(again), theirs)];
}

async function playOurs(image: LinuxImage, settings: Readonly<Record<string, string>> = {}): Promise<number> {
  const host = await startHost(settings);
  try {
    let seconds = 0;
    const timed = createTimer((s) => (seconds += s));
    const { domain, console } = await timed(() => bootOurs(image, host));
    for (let i = 0; i < SUSPENDS; i++) {
      await timed(async () => {
        const suspended = nextSuspend(host);
        console.type(SUSPEND);
        await suspended;
      });
      await console.waitFor(/[^]*$/, PATIENCE); // What came before the suspend.
      await timed(async () => {
        await xlOk(["resume", domain], host.env);
        await console.waitFor("# ", PATIENCE);
      });
    }
    await timed(async () => {
      console.type("poweroff");
      await console.ended;
    });
    return seconds;
  } finally {
    await host.stop();
  }
}

/** XEN_DOMINF_shutdown. */
const SHUTDOWN = 1 << 2;

/** Resolves when the only guest has shut down with reason suspend. */
async function nextSuspend({ xenctrl }: BenchHost): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const stop = xenctrl.onDomainChange(() => {
      xenctrl.getDomainInfoList(1, 1).then(([info]) => {
        if (info === undefined || (info.flags & SHUTDOWN) === 0) return;
        stop();
        resolve();
      }, reject);
    });
  });
}

async function playQemu(image: LinuxImage): Promise<number> {
  let seconds = 0;
  const timed = createTimer((s) => (seconds += s));
  const { pid, console } = await timed(() => bootQemu(image));
  try {
    await console.run("echo enabled > /sys/class/tty/ttyAMA0/power/wakeup", PATIENCE);
    for (let i = 0; i < SUSPENDS; i++) {
      await timed(async () => {
        console.type(SUSPEND);
        await console.waitFor("remaining freezable tasks completed", PATIENCE);
      });
      await untilStill(pid);
      await timed(async () => {
        console.type("");
        await console.waitFor("suspend exit", PATIENCE);
        await console.waitFor("# ", PATIENCE);
      });
    }
    const [suspends = ""] = (await console.run("cat /sys/power/suspend_stats/success", PATIENCE)).split("\n");
    if (Number(suspends) !== SUSPENDS) throw new Error(`QEMU's guest should have slept ${SUSPENDS} times, not ${suspends}.`);
    await timed(async () => {
      console.type("poweroff");
      await console.ended;
    });
    return seconds;
  } finally {
    console.close();
  }
}

/** A stopwatch for parts of a whole, in seconds. */
function createTimer(add: (seconds: number) => void): <T>(work: () => Promise<T>) => Promise<T> {
  return async (work) => {
    const start = performance.now();
    const result = await work();
    add((performance.now() - start) / 1000);
    return result;
  };
}

async function untilStill(pid: number): Promise<void> {
  for (let last = Number.NaN; ; ) {
    await new Promise((resolve) => setTimeout(resolve, STILL));
    const { total } = cpuTime(pid);
    if (total === last || Number.isNaN(total)) return;
    last = total;
  }
}
