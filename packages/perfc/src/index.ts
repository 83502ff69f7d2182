export { formatDebugKey, formatPrometheus, formatXenperf, type XenperfOptions } from "./format.js";
export { createPerfc, type Perfc, type PerfCounterValues, type PerfcRecord } from "./perfc.js";
export { definePerfCounters, type PerfCounterName, type PerfCounterRow, type PerfTable } from "./table.js";
