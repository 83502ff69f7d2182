import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "./cache.js";

/** Tries to fetch something, and remembers in the cache why it could not be had. */
export interface Attempt {
  /** Does the work; what it throws is remembered, and thrown on. */
  make(work: () => Promise<void>): Promise<void>;
  /** Why the last one failed, in one line; `untried` if none did. */
  why(untried: string): string;
}

/** `name` is the file of the reason, in the cache. */
export function createAttempt(name: string): Attempt {
  const file = join(cacheFolder, name);
  return {
    async make(work) {
      mkdirSync(cacheFolder, { recursive: true });
      try {
        await work();
        rmSync(file, { force: true });
      } catch (error) {
        writeFileSync(file, `${(error as Error).message}\n`);
        throw error;
      }
    },
    why: (untried) => (existsSync(file) ? readFileSync(file, "utf8").trim() : untried),
  };
}
