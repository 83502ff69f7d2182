/** A broken invariant of ours: names it and ends what is under way. */
export function bug(what: string): never {
  throw new Error(`BUG in xenstored: ${what}`);
}
