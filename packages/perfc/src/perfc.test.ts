import { describe, expect, expectTypeOf, test } from "vitest";
import { createPerfc, definePerfCounters, formatDebugKey, formatPrometheus, formatXenperf, type Perfc } from "./index.js";

const ARM = [{ name: "trap_wfi", label: "trap: wfi" }] as const;
const COMMON = definePerfCounters([
  { name: "hypercalls", label: "hypercalls", size: 8 },
  { name: "sched_run", label: "sched: runs through scheduler" },
  { name: "level", label: "a level", isStatus: true },
]);
const build = (nrCpus = 2) => createPerfc([ARM, COMMON], nrCpus);

describe("counters", () => {
  test("count for the present pCPU, and query gives them in table order", () => {
    const perfc = build();
    perfc.incr("trap_wfi");
    perfc.cpu = 1;
    perfc.add("trap_wfi", 4);
    perfc.incr("hypercalls", 3);
    perfc.cpu = 0;
    perfc.incr("hypercalls", 3);
    expect(perfc.query().map(({ name, values, isArray }) => [name, values, isArray])).toEqual([
      ["trap_wfi", [1, 4], false],
      ["hypercalls", [0, 0, 0, 2, 0, 0, 0, 0], true],
      ["sched_run", [0, 0], false],
      ["level", [0, 0], false],
    ]);
    expect(perfc.query()[1]!.perCpu).toEqual([1, 1]);
    expect(perfc.total("trap_wfi")).toBe(5);
  });

  test("a slot beyond the end is not counted, and 32 bits wrap", () => {
    const perfc = build(1);
    perfc.incr("hypercalls", 8);
    expect(perfc.total("hypercalls")).toBe(0);
    perfc.add("sched_run", 0xffff_ffff);
    perfc.add("sched_run", 2);
    expect(perfc.total("sched_run")).toBe(1);
  });

  test("reset zeroes all but statuses", () => {
    const perfc = build(1);
    perfc.incr("trap_wfi");
    perfc.incr("level");
    perfc.reset();
    expect([perfc.total("trap_wfi"), perfc.total("level")]).toEqual([0, 1]);
  });

  test("save and load give the same counters", () => {
    const perfc = build();
    perfc.incr("hypercalls", 5);
    const other = build();
    other.load(structuredClone(perfc.save()));
    expect(other.query()).toEqual(perfc.query());
  });

  test("a name that comes twice is refused", () => {
    expect(() => createPerfc([ARM, ARM], 1)).toThrow('"trap_wfi"');
  });

  test("names are types", () => {
    const perfc = build();
    expectTypeOf<Parameters<typeof perfc.incr>[0]>().toEqualTypeOf<"trap_wfi" | "hypercalls" | "sched_run" | "level">();
    const narrow: Perfc<"sched_run"> = perfc;
    expect(narrow.nrCpus).toBe(2);
  });
});

describe("text", () => {
  const perfc = build(5);
  perfc.add("trap_wfi", 7);
  perfc.cpu = 4;
  perfc.add("trap_wfi", 2);
  perfc.add("hypercalls", 3, 2);

  test("debug key p pads the label to 32, breaks after four pCPUs and leaves zeroes alone", () => {
    expect(formatDebugKey(perfc.query())).toEqual([
      "trap: wfi                         TOTAL[           9]  CPU00[         7]  CPU01[         0]  CPU02[         0]  CPU03[         0]",
      "                                                       CPU04[         2]",
      "hypercalls                        TOTAL[           3]  CPU00[         0]  CPU01[         0]  CPU02[         0]  CPU03[         0]",
      "                                                       CPU04[         3]",
      "sched: runs through scheduler     TOTAL[           0]",
      "a level                           TOTAL[           0]",
    ]);
  });

  test("xenperf breaks down at most four values unless it is asked for all", () => {
    const lines = formatXenperf(perfc.query()).split("\n");
    expect(lines[0]).toBe("trap: wfi                           T=         9 ");
    const full = formatXenperf(perfc.query(), { isFull: true }).split("\n");
    expect(full[0]).toBe("trap: wfi                           T=         9           7          0          0          0          2");
  });

  test("xenperf -p names the hypercalls that were made", () => {
    const lines = formatXenperf(perfc.query(), { isFull: true, hypercallNames: [undefined, undefined, "memory_op"] }).split("\n");
    expect(lines.slice(1, 3)).toEqual(["hypercalls                          T=         3 ", "memory_op                                     3"]);
  });

  test("Prometheus text has a family a counter", () => {
    expect(formatPrometheus(perfc.query().slice(0, 1))).toBe(
      '# HELP xen_perfc_trap_wfi_total trap: wfi\n# TYPE xen_perfc_trap_wfi_total counter\nxen_perfc_trap_wfi_total{cpu="0"} 7\nxen_perfc_trap_wfi_total{cpu="1"} 0\nxen_perfc_trap_wfi_total{cpu="2"} 0\nxen_perfc_trap_wfi_total{cpu="3"} 0\nxen_perfc_trap_wfi_total{cpu="4"} 2\n',
    );
  });
});
