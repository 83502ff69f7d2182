import { readFileSync } from "node:fs";
import { findDebianGuest, whyNoGuest } from "guests";
import { describe, expect, it, type TestOptions, test } from "vitest";
import * as testing from "xen-host/testing";

/** The blocks of TypeScript in a document that are whole test files. */
function examples(file: string): string[] {
  const text = readFileSync(new URL(`../${file}`, import.meta.url), "utf8");
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)].flatMap(([, code = ""]) => (code.includes('from "vitest"') ? code : []));
}

const found = ["README.md", "docs/testing.md"].flatMap((file) => examples(file).map((code) => ({ file, code })));

it("the documents have examples of tests, of ten lines or so", () => {
  expect(new Set(found.map(({ file }) => file)).size).toBe(2);
  const lines = found.map(({ code }) => code.split("\n").filter((line) => line !== "" && !line.startsWith("import ")).length);
  expect(Math.max(...lines)).toBeLessThanOrEqual(10);
});

const guest = findDebianGuest("cloud");
describe.skipIf(guest === undefined)(`the examples of the documents${guest === undefined ? ` (${whyNoGuest()})` : ""}`, () => {
  const hosts: testing.Host[] = [];
  const openHost = async (options?: testing.HostOptions): Promise<testing.Host> => {
    const host = await testing.openHost(options);
    hosts.push(host);
    return host;
  };
  const titled = (file: string) => (title: string, options: TestOptions, body: () => Promise<void>) =>
    test(`${file}: ${title}`, options, async () => {
      try {
        await body();
      } finally {
        for (const host of hosts.splice(0)) await host.close();
      }
    });
  for (const { file, code } of found) {
    const body = code.replaceAll(/^import .*\n/gm, "");
    // oxlint-disable-next-line typescript/no-implied-eval -- what the document says is what is run.
    const define = new Function("test", "expect", "openHost", "kernel", "ramdisk", body) as (...args: unknown[]) => void;
    define(titled(file), expect, openHost, guest?.kernel, guest?.initramfs());
  }
});
