import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "./cache.js";
import { ownGuestSource } from "./own-guest.js";

/** `COMPILER=0` in the environment: guests that say nothing of it themselves are interpreted. */
export const isInterpreted: boolean = process.env["COMPILER"] === "0";

/** Writes an xl.cfg file for the domain `name` into the cache; returns its path. */
export function writeConfig(name: string, settings: Readonly<Record<string, string | number>>): string {
  const path = join(cacheFolder, `${name}.cfg`);
  mkdirSync(cacheFolder, { recursive: true });
  const lines = Object.entries({ name, ...(isInterpreted && { compiler: 0 }), ...settings }).map(
    ([key, value]) => `${key} = ${typeof value === "number" ? value : JSON.stringify(value)}\n`,
  );
  writeFileSync(path, lines.join(""));
  return path;
}

/** Settings of an xl.cfg over those that a guest has by itself; undefined leaves one out. */
export type Overrides = Readonly<Record<string, string | number | undefined>>;

/** Writes our own small guest and its xl.cfg; returns the latter's path. `assemble` is aarch64's. */
export function writeOwnGuest(name: string, assemble: (source: string) => Uint8Array, overrides: Overrides = {}): string {
  mkdirSync(cacheFolder, { recursive: true });
  const kernel = join(cacheFolder, "own-guest.img");
  writeFileSync(kernel, assemble(ownGuestSource()));
  const settings = Object.entries({ kernel, memory: 32, vuart: "sbsa_uart", ...overrides }).filter(
    (entry): entry is [string, string | number] => entry[1] !== undefined,
  );
  return writeConfig(name, Object.fromEntries(settings));
}
