import { readFileSync } from "node:fs";
import { describe, expect, it, test } from "vitest";

/** One `### Feature` of docs/SUPPORT.md: its `Status[, variant]: value` lines and the tests that it names. */
interface Feature {
  readonly name: string;
  readonly statuses: readonly { readonly variant: string; readonly value: string }[];
  readonly tests: readonly { readonly variant: string; readonly file: string; readonly title: string }[];
}

const VALUES = ["Supported", "Supported, not security supported", "Tech Preview", "Experimental", "Preview", "Not supported"];
const root = new URL("..", import.meta.url);

function parse(text: string): Feature[] {
  return text
    .split(/^### /m)
    .slice(1)
    .map((section) => ({
      name: section.split("\n")[0] ?? "",
      statuses: [...section.matchAll(/^ {4}Status(?:, ([^:]+))?: (.+)$/gm)].map(([, variant = "", value = ""]) => ({ variant, value })),
      tests: [...section.matchAll(/^- (?:([^:`]+): )?`([^`]+)`, "([^"]+)"/gm)].map(([, variant = "", file = "", title = ""]) => ({ variant, file, title })),
    }));
}

const features = parse(readFileSync(new URL("docs/SUPPORT.md", root), "utf8"));

test("guest PSCI has its three status lines", () => {
  const psci = features.find(({ name }) => name === "ARM: Guest PSCI support");
  expect(psci?.statuses.map(({ variant }) => variant)).toEqual(["Mandatory", "MIGRATE_INFO_TYPE", "SYSTEM_SUSPEND"]);
});

describe.each(features)("$name", ({ statuses, tests }) => {
  it("has a status that Xen's grammar knows", () => {
    expect(statuses.length).toBeGreaterThan(0);
    expect(statuses.filter(({ value }) => !VALUES.includes(value))).toEqual([]);
  });

  it("names a test for each line that does not say Not supported", () => {
    const there = statuses.filter(({ value }) => value !== "Not supported");
    expect(there.filter(({ variant }) => !tests.some((named) => named.variant === variant))).toEqual([]);
  });

  it("names tests that exist", () => {
    expect(tests.filter(({ file, title }) => !readFileSync(new URL(file, root), "utf8").includes(title))).toEqual([]);
  });
});
