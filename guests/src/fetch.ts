import { fetchDebianGuests } from "./debian.js";
import { fetchLibxlutil } from "./libxlutil.js";
import { createProgress } from "./progress.js";

/** `node guests/dist/fetch.js`: fetches what tests take from Debian; says in one line why something could not be had, and exits 0 then too. */
const progress = createProgress();
try {
  await fetchDebianGuests(["cloud", "generic"], progress);
} catch (error) {
  console.error(`No Debian guest: ${(error as Error).message} Tests that boot Linux are skipped.`);
}
try {
  await fetchLibxlutil(progress);
} catch (error) {
  console.error(`No libxlutil: ${(error as Error).message} The test that compares our reader of xl.cfg with it is skipped.`);
}
