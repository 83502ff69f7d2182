import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { XenCtrl } from "libxl";
import { createXs } from "xenstore";

/** Names of the guests, kept on disk while a host lives: what is found at the next start was lost with it. */
export interface StateFile {
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

/** Starts a state file, which follows the domains and their names; it is written whole and renamed into place. */
export async function createStateFile(path: string, xenctrl: XenCtrl): Promise<StateFile> {
  const xs = createXs(await xenctrl.openStore());
  let isScheduled = false;
  let isRemoved = false;
  let written = "";

  async function update(): Promise<void> {
    isScheduled = false;
    const guests = await xenctrl.getDomainInfoList(1, 0x7ff0);
    const names = await Promise.all(guests.map(async ({ domid }) => (await nameOf(domid)) ?? `domain ${domid}`));
    const text = JSON.stringify(names);
    if (isRemoved || text === written) return;
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    renameSync(`${path}.new`, path);
    written = text;
  }
  async function nameOf(domid: number): Promise<string | undefined> {
    const bytes = await xs.readBytes(`/local/domain/${domid}/name`);
    return bytes === null ? undefined : new TextDecoder().decode(bytes);
  }
  function touch(): void {
    if (isScheduled || isRemoved) return;
    isScheduled = true;
    // A host that is going down has nobody to tell.
    setImmediate(() => void update().catch(() => undefined));
  }
  xenctrl.onDomainChange(touch);
  await xs.watch("/local/domain", (changed) => (changed.endsWith("/name") ? touch() : undefined), { depth: 2 });
  return {
    remove() {
      isRemoved = true;
      rmSync(path, { force: true });
    },
  };
}
