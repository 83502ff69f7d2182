export { createHostClock } from "./clock.js";
export { type Announcement, main } from "./host.js";
export { createHypervisor, type HypervisorOptions } from "./hypervisor.js";
export { createInProcessXenCtrl, type HostInfo, type InProcessOptions } from "./in-process.js";
export { createRunLoop, type RunLoop, type RunLoopOptions, type Runnable } from "./run-loop.js";
