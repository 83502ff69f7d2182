import { readFileSync } from "node:fs";
import { assemble } from "aarch64";
import { createProgress, fetchDebianGuests } from "guests";
import { debianScenario, ownScenario } from "./guests.js";
import { createNarrator } from "./narrator.js";
import { playScenario, type ScenarioGuest } from "./scenario.js";

/** `npm start [-- --own]`: fetches a guest, plays the scenario, sums up. `--own` plays it on our own small guest at once. */
const narrator = createNarrator();
const unknown = process.argv.slice(2).find((argument) => argument !== "--own");
if (unknown !== undefined) {
  console.error(`"${unknown}" is not known: npm start [-- --own]`);
  process.exit(2);
}
const guest = process.argv.includes("--own") ? ownScenario((source) => assemble(source).bytes) : await chooseGuest();
narrator.heading(`A guest of Xen on Arm: ${guest.description}`);
narrator.command(`cat ${guest.config}`);
narrator.output(readFileSync(guest.config, "utf8"));
const timings = await playScenario(guest, narrator);
narrator.heading("Summary");
narrator.table(timings);
narrator.say("\nYour turn: `npx xl list`, `npx xl create -c FILE`, `npx xl help`.");

async function chooseGuest(): Promise<ScenarioGuest> {
  try {
    const [debian] = await fetchDebianGuests(["cloud"], createProgress());
    if (debian !== undefined) return debianScenario(debian);
  } catch (error) {
    narrator.say(`No Debian kernel could be fetched, so a small guest of our own takes its place: ${(error as Error).message}`);
  }
  return ownScenario((source) => assemble(source).bytes);
}
