import { describe, expect, it } from "vitest";
import { computeKernels } from "./guest/program.js";
import { chooseRows, ROWS } from "./rows.js";

describe("chooseRows", () => {
  it("takes everything where nothing is named, but for what takes very long", () => {
    const choice = chooseRows([]);
    expect((Object.keys(ROWS) as (keyof typeof ROWS)[]).filter((part) => !choice.needs(part))).toEqual(["fleet"]);
    expect(chooseRows(["suspended-200"]).needs("fleet")).toBe(true);
  });

  it("takes rows and whole parts by name", () => {
    const choice = chooseRows(["boot", "sqlite"]);
    expect([choice.includes("live-code"), choice.includes("sqlite"), choice.includes("python"), choice.needs("userland"), choice.needs("compute")]).toEqual([
      true,
      true,
      false,
      true,
      false,
    ]);
  });

  it.each(["bot", "toString"])("refuses %s", (name) => {
    expect(() => chooseRows([name])).toThrow(`"${name}"`);
  });
});

it("has a row for each kernel of the guest program", () => {
  expect(computeKernels.map(({ name }) => name)).toEqual(ROWS.compute.slice(0, -1));
});
