import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { cpio } from "./cpio.js";

const archive = cpio([
  { name: "bin", mode: 0o040755 },
  { name: "bin/tool", mode: 0o100755, data: Buffer.from("hello") },
  { name: "dev/console", mode: 0o020600, device: [5, 1] },
]);

test("the archive is a sequence of newc headers, padded to 4 bytes", () => {
  const text = Buffer.from(archive).toString("latin1");
  expect(archive.length % 4).toBe(0);
  expect(text.startsWith("070701")).toBe(true);
  expect(text.match(/070701/g)).toHaveLength(4);
  expect(text.slice(54, 62)).toBe("00000000");
  expect(text).toContain("TRAILER!!!\0");
});

test("cpio lists it", (context) => {
  let listing: string;
  try {
    listing = execFileSync("cpio", ["-tv", "--quiet"], { input: archive, encoding: "utf8", stdio: ["pipe", "pipe", "ignore"] });
  } catch {
    context.skip("cpio is not installed");
    return;
  }
  expect(listing).toMatch(/drwxr-xr-x.*bin\n-rwxr-xr-x.* 5 .*bin\/tool\ncrw-------.*5,\s*1.*dev\/console/);
});
