import { attachConsole, type GuestConsole, xl } from "guests";
import type { Narrator } from "./narrator.js";

/** A guest that the scenario can tell. */
export interface ScenarioGuest {
  /** What boots, for the summary. */
  readonly description: string;
  /** The xl.cfg file that describes it; its `name` is `domain`. */
  readonly config: string;
  readonly domain: string;
  /** The console it talks on. */
  readonly console: "pv" | "vuart";
  /** The line that stands for "user space runs". */
  readonly bootMarker: string;
  /** What is printed when the guest takes commands. */
  readonly prompt: string;
  /** The command that suspends it to RAM. */
  readonly suspend: string;
  /** Commands that show the round trip from the guest's side, run after each resume. */
  readonly afterResume: readonly string[];
  readonly poweroff: string;
}

/** How long the guest may take for one step, in seconds: far above what is expected, so that only a hang ends here. */
const PATIENCE = 180;
const ROUNDS = 2;
const SLEEP_MS = 2000;

/** Boots the guest, suspends and resumes it twice, powers it off; returns the timings. Throws where something is not as it should be. */
export async function playScenario(guest: ScenarioGuest, narrator: Narrator): Promise<(readonly [string, string])[]> {
  const timings: [string, string][] = [["guest", guest.description]];
  const run = createRunner(narrator);
  await xl(["destroy", guest.domain]); // A leftover of a run that was interrupted; usually there is none.

  narrator.heading("1. Boot");
  const created = performance.now();
  await run("create", guest.config);
  const console = attachConsole(guest.domain, { type: guest.console, onLine: narrator.guestLine });
  try {
    await console.waitFor(guest.bootMarker, PATIENCE);
    timings.push(["xl create to the first line of user space", since(created)]);
    await console.waitFor(guest.prompt, PATIENCE);
    await run("list");

    for (let round = 1; round <= ROUNDS; round++) {
      narrator.heading(`${round + 1}. ${round === 1 ? "The guest suspends itself, and xl resume brings it back" : "And again"}`);
      await suspendAndResume(guest, console, run, narrator, (what, value) => timings.push([`round ${round}: ${what}`, value]));
    }

    narrator.heading(`${ROUNDS + 2}. What Xen counted`);
    await run("debug-keys", "p");
    const counters = (await run.quietly("dmesg")).split("\n").filter((line) => /vpsci/.test(line));
    narrator.command("xl dmesg | grep vpsci");
    narrator.output(counters.join("\n"));
    const suspends = counters.findLast((line) => /vpsci: system_suspend/.test(line)) ?? "";
    // At least: a host that was running before counts on.
    const counted = Number(/TOTAL\[\s*(\d+)/.exec(suspends)?.[1] ?? 0);
    if (counted < ROUNDS) throw new Error(`vpsci: system_suspend should have counted at least ${ROUNDS}: ${suspends || "it is not in the log"}.`);

    narrator.heading(`${ROUNDS + 3}. Power off`);
    console.type(guest.poweroff);
    await until("the domain to be gone", async () => !(await states()).has(guest.domain));
    await run("list");
  } finally {
    console.close();
  }
  return timings;
}

type Runner = ((...args: string[]) => Promise<string>) & { quietly(...args: string[]): Promise<string> };

/** Runs xl commands before the user's eyes. */
function createRunner(narrator: Narrator): Runner {
  const quietly = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await xl(args);
    if (code !== 0) throw new Error(`xl ${args.join(" ")} ended with ${code}: ${(stderr || stdout).trim()}`);
    return stdout;
  };
  const run = async (...args: string[]): Promise<string> => {
    narrator.command(`xl ${args.join(" ")}`);
    const stdout = await quietly(...args);
    if (stdout !== "") narrator.output(stdout);
    return stdout;
  };
  return Object.assign(run, { quietly });
}

async function suspendAndResume(
  guest: ScenarioGuest,
  console: GuestConsole,
  run: Runner,
  narrator: Narrator,
  record: (what: string, value: string) => void,
): Promise<void> {
  const asked = performance.now();
  console.type(guest.suspend);
  await until("state ---ss-", async () => (await states()).get(guest.domain) === "---ss-");
  record("command in the guest to ---ss-", since(asked));
  await run("list");
  narrator.say(`The domain is shut down with reason suspend; it costs no CPU time. It stays so for ${SLEEP_MS / 1000} s.`);
  await new Promise((resolve) => setTimeout(resolve, SLEEP_MS));

  const resumed = performance.now();
  await run("resume", guest.domain);
  await console.waitFor(guest.prompt, PATIENCE);
  record("xl resume to the guest's prompt", since(resumed));
  for (const command of guest.afterResume) {
    console.type(command);
    await console.waitFor(guest.prompt, PATIENCE);
  }
  await run("list");
}

/** The state column of `xl list` by domain name. */
async function states(): Promise<Map<string, string>> {
  const { stdout } = await xl(["list"]);
  const rows = stdout
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/));
  return new Map(rows.map((fields) => [fields[0] ?? "", fields[4] ?? ""]));
}

async function until(what: string, isReached: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE * 1000;
  while (!(await isReached())) {
    if (performance.now() > deadline) throw new Error(`Waited ${PATIENCE} s in vain for ${what}.`);
  }
}

function since(start: number): string {
  return `${((performance.now() - start) / 1000).toFixed(2)} s`;
}
