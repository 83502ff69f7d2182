import { expect, it } from "vitest";
import { createMachine } from "./testing/machine.js";

it.each([
  [
    "compiled",
    true,
    /d1: regions=\d+ modules=\d+ instructions=\d+ bytes=\d+ invalidations=\d+ evictions=\d+ live=\d+ liveBytes=\d+ compiling=\d+ installing=\d+$/,
  ],
  ["interpreted", false, /d1: interpreted, compiler = 0$/],
])("debug key J tells about a guest that is %s", (_title, compiler, line) => {
  const m = createMachine({ compiler });
  m.runUntil(() => false, 1e7);
  m.xen.sysctl.debugKeys("J");
  expect(m.log.slice(-2)).toEqual([expect.stringContaining("'J' pressed"), expect.stringMatching(line)]);
});

it("debug key d prints the registers of every vCPU", () => {
  const m = createMachine({ vcpus: 2 });
  m.xen.sysctl.debugKeys("d");
  const text = m.log.join("\n");
  expect(text).toMatch(/Dumping d1v0 state[^]*PC: {5}[0-9a-f]{16}[^]*X30: [0-9a-f]{16}[^]*Dumping d1v1 state/);
});
