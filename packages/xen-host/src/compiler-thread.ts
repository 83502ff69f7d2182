import { parentPort, workerData } from "node:worker_threads";
import { Translations, translateRegions } from "aarch64";
import type { CompilerAnswer, CompilerQuestion, CompilerSettings } from "./compiler-service.js";
import { stepBack } from "./priority.js";
import { createTranslationFile } from "./translation-file.js";

/** Milliseconds without a question after which new translations are written; and where they are few, before the thread ends for want of work. */
const REST = 250;
const LONG_REST = 1500;
/** They are few while they are less than this part of all. */
const FEW = 1 / 8;

stepBack();

const { file: path } = workerData as CompilerSettings;
const file = path === undefined ? undefined : createTranslationFile(path);
const translations = file?.read() ?? new Translations();
let written = 0;
let rest: NodeJS.Timeout | undefined;

// The thread that turns hot guest code into WebAssembly modules, so that guests go on meanwhile. V8 shares what it optimises.
parentPort?.on("message", ({ id, requests }: CompilerQuestion) => {
  const start = performance.now();
  const bytes = translateRegions(requests, translations);
  const module = new WebAssembly.Module(bytes);
  parentPort?.postMessage({ id, module, bytes: bytes.length, milliseconds: performance.now() - start } satisfies CompilerAnswer);
  clearTimeout(rest);
  rest = setTimeout(keep, translations.added - written < translations.size * FEW ? LONG_REST : REST);
});

/** What cannot be written is translated again the next time. */
function keep(): void {
  if (translations.added === written) return;
  written = translations.added;
  try {
    file?.write(translations);
  } catch (error) {
    process.emitWarning(`translations are not kept: ${(error as Error).message}`);
  }
}
