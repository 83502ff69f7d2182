/**
 * Lets time pass until a promise has settled, at most that many milliseconds; resolves to true if it has, and never rejects. Whose milliseconds they are
 * is up to who hands it in: a host on a virtual clock counts those of its guests.
 */
export type Within = (wanted: Promise<unknown>, milliseconds: number) => Promise<boolean>;

/** The time of the machine that this runs on. */
export async function withinHostTime(wanted: Promise<unknown>, milliseconds: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(resolve, milliseconds, false)));
  const settled = (): boolean => true;
  try {
    return await Promise.race([wanted.then(settled, settled), late]);
  } finally {
    clearTimeout(timer);
  }
}
