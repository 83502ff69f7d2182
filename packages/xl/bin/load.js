const { readFileSync, renameSync, statSync, writeFileSync } = require("node:fs");
const { dirname, join } = require("node:path");
const { Script } = require("node:vm");

/**
 * Loads all of xl from one CommonJS file, with the code that V8 made of it the last time: that halves what a command needs beside Node itself.
 * The code is kept beside the file, so it is as trusted as that; a directory that cannot be written has none.
 */
function load() {
  const filename = join(__dirname, "../dist/xl.cjs");
  const source = readFileSync(filename, "utf8");
  // V8 itself looks at the length alone.
  const cache = `${filename}.${process.versions.v8}.${statSync(filename).mtimeMs}.cache`;
  const cachedData = tryRead(cache);
  const script = new Script(`(function (exports, require, module, __filename, __dirname) { ${source}\n})`, { filename, cachedData });
  const loaded = { exports: {} };
  script.runInThisContext()(loaded.exports, require, loaded, filename, dirname(filename));
  const isKept = cachedData !== undefined && script.cachedDataRejected === false;
  return { ...loaded.exports, keep: isKept ? () => undefined : () => tryWrite(cache, script.createCachedData()) };
}

function tryRead(path) {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

function tryWrite(path, bytes) {
  try {
    writeFileSync(`${path}.${process.pid}`, bytes);
    renameSync(`${path}.${process.pid}`, path);
  } catch {
    // Somebody else's directory, or a full disk.
  }
}

/** Runs a command, one of the file's exports, and ends the process with its exit code. */
module.exports = async (command) => {
  const xl = load();
  const code = await xl[command](process.argv.slice(2));
  xl.keep();
  // All is said and answered: what is still open, a socket or a terminal, must not delay the end.
  process.stdout.write("", () => process.exit(code));
};
