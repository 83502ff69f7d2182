import { expect, test } from "vitest";
import { createPerfc, definePerfCounters, formatDebugKey } from "./index.js";

test("the example of the README runs and prints what it says", () => {
  const table = definePerfCounters([
    { name: "trap_wfi", label: "trap: wfi" },
    { name: "hypercalls", label: "hypercalls", size: 64 },
  ]);
  const perfc = createPerfc([table], 1);
  perfc.incr("trap_wfi");
  perfc.incr("hypercalls", 12);
  expect(perfc.total("hypercalls")).toBe(1);
  expect(formatDebugKey(perfc.query())[0]).toBe("trap: wfi                         TOTAL[           1]  CPU00[         1]");
});
