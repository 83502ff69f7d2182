import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import { driveConsole } from "./console.js";

/** A shell behind something that turns Enter into a line feed, as a terminal does. */
const terminal = `
  const shell = require("node:child_process").spawn("sh", { stdio: ["pipe", "inherit", "inherit"] });
  process.stdin.on("data", (keys) => shell.stdin.write(String(keys).replaceAll("\\r", "\\n")));
`;
const shell = (script: string): ReturnType<typeof driveConsole> => driveConsole(spawn("sh", ["-c", script], { stdio: ["pipe", "pipe", "inherit"] }));

test("text is found once, in order, without carriage returns and terminal queries", async () => {
  const console = shell("printf 'one\\r\\n\\033[6ntwo\\none\\n'");
  expect(await console.waitFor("one", 5)).toBe("one");
  expect(await console.waitFor("one", 5)).toBe("\ntwo\none");
});

test("waiting in vain tells what was seen instead", async () => {
  await expect(shell("echo something else").waitFor("init", 5)).rejects.toThrow(/the console ended without "init"; it printed last:\s+something else/);
  const silent = shell("echo here; sleep 5");
  await expect(silent.waitFor("init", 0.2)).rejects.toThrow(/0.2 s went by without "init"; it printed last:\s+here/);
  silent.close();
});

test("a shell's commands are run one by one", async () => {
  const console = driveConsole(spawn(process.execPath, ["-e", terminal], { stdio: ["pipe", "pipe", "inherit"] }));
  expect(await console.run("echo 40", 5)).toBe("40");
  expect(await console.run("echo $((40 + 2))", 5)).toBe("42");
  console.close();
});
