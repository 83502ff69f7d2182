import { readFileSync } from "node:fs";
import { createProgress, fetchDebianGuests } from "guests";
import { debianScenario } from "./guests.js";
import { createNarrator } from "./narrator.js";
import { playScenario, type ScenarioGuest } from "./scenario.js";

/** `npm start`: fetches a guest, plays the scenario, sums up. */
const narrator = createNarrator();
const guest = await chooseGuest();
narrator.heading(`A guest of Xen on Arm: ${guest.description}`);
narrator.command(`cat ${guest.config}`);
narrator.output(readFileSync(guest.config, "utf8"));
const timings = await playScenario(guest, narrator);
narrator.heading("Summary");
narrator.table(timings);
narrator.say("\nYour turn: `npx xl list`, `npx xl create -c FILE`, `npx xl help`.");

async function chooseGuest(): Promise<ScenarioGuest> {
  const [debian] = await fetchDebianGuests(["cloud"], createProgress());
  if (debian === undefined) throw new Error("no Debian kernel");
  return debianScenario(debian);
}
