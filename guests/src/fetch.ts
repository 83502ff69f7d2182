import { fetchDebianGuests } from "./debian.js";
import { createProgress } from "./progress.js";

/** `node guests/dist/fetch.js`: fetches both of Debian's kernels; says in one line why it could not, and exits 0 then too. */
try {
  await fetchDebianGuests(["cloud", "generic"], createProgress());
} catch (error) {
  console.error(`No Debian guest: ${(error as Error).message} Tests that boot Linux are skipped.`);
}
