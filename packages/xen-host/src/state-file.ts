import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { XenCtrl } from "libxl";

/** Names of the guests, kept on disk while a host lives: what is found at the next start was lost with it. */
export interface StateFile {
  /** Something changed; the file follows within a moment. */
  readonly touch: () => void;
  /** A clean stop: nothing was lost. */
  readonly remove: () => void;
}

/** Names of the guests of a host that died, in order of their ids; empty after a clean stop. */
export function readLostDomains(path: string): string[] {
  try {
    const names: unknown = JSON.parse(readFileSync(path, "utf8"));
    return Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
  } catch {
    return [];
  }
}

/** Starts a state file; it is written whole and renamed into place. */
export function createStateFile(path: string, xenctrl: XenCtrl): StateFile {
  let isScheduled = false;
  let isRemoved = false;
  let written = "";

  async function update(): Promise<void> {
    isScheduled = false;
    const guests = await xenctrl.getDomainInfoList(1, 0x7ff0);
    const names = await Promise.all(guests.map(async ({ domid }) => (await xenctrl.storeRead(`/local/domain/${domid}/name`)) ?? `domain ${domid}`));
    const text = JSON.stringify(names);
    if (isRemoved || text === written) return;
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    renameSync(`${path}.new`, path);
    written = text;
  }
  return {
    touch() {
      if (isScheduled || isRemoved) return;
      isScheduled = true;
      // A host that is going down has nobody to tell.
      setImmediate(() => void update().catch(() => undefined));
    },
    remove() {
      isRemoved = true;
      rmSync(path, { force: true });
    },
  };
}
