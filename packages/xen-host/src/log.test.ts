import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { createLog, openLogFile } from "./log.js";

it("writes its own level and those above it, with time and level in front", () => {
  let text = "";
  const log = createLog(
    "warn",
    (line) => (text += line),
    () => new Date(0),
  );
  log.error("a");
  log.warn("b");
  log.info("c");
  log.debug("d");
  expect(text).toBe("1970-01-01T00:00:00.000Z error a\n1970-01-01T00:00:00.000Z warn  b\n");
});

it("a file is set aside when it is full, and no more than two are kept", () => {
  const directory = mkdtempSync(join(tmpdir(), "log-test-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "host.log");
  for (let start = 0; start < 2; start++) {
    const log = openLogFile(path, "info", 1000);
    for (let line = 0; line < 100; line++) log.info(`line ${line}`);
  }
  expect(readdirSync(directory).toSorted()).toEqual(["host.log", "host.log.1"]);
  for (const name of ["host.log", "host.log.1"]) expect(statSync(join(directory, name)).size).toBeLessThan(1100);
  expect(readFileSync(path, "utf8")).toMatch(/ info {2}line 99\n$/);
});
