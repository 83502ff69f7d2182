import { ERRNO, SHUTDOWN } from "xen-public";
import type { Domain } from "./domain.js";
import { domainShutdown } from "./shutdown.js";

/** Watchdog timers of a domain. */
export const NR_DOMAIN_WATCHDOG_TIMERS = 2;

/**
 * SCHEDOP_watchdog: id 0 takes a free timer and returns its id, another id re-arms it, or frees it with timeout 0.
 * When one expires the domain is shut down with reason `watchdog`. `timeout` is in seconds.
 */
export function domainWatchdog(d: Domain, id: number, timeout: number): number {
  const { timers, clock } = d.xen;
  if (id > NR_DOMAIN_WATCHDOG_TIMERS) return -ERRNO.EINVAL;
  const expires = clock.now() + timeout * 1e9;
  if (id === 0) {
    if (timeout === 0) return -ERRNO.EINVAL;
    const slot = d.watchdogTimers.findIndex((timer) => timer === undefined);
    if (slot < 0) return -ERRNO.ENOSPC;
    const timer = timers.create(`d${d.domainId} watchdog ${slot + 1}`, () => {
      d.xen.console.printk(`Watchdog timer ${slot} fired for d${d.domainId}`);
      domainShutdown(d, SHUTDOWN.watchdog);
    });
    d.watchdogTimers[slot] = timer;
    timers.set(timer, expires);
    return slot + 1;
  }
  const timer = d.watchdogTimers[id - 1];
  if (timer === undefined) return -ERRNO.EINVAL;
  if (timeout !== 0) {
    timers.set(timer, expires);
    return 0;
  }
  timers.stop(timer);
  d.watchdogTimers[id - 1] = undefined;
  return 0;
}

/** Stops and frees both timers: the domain dies. */
export function stopWatchdogs(d: Domain): void {
  for (const timer of d.watchdogTimers) if (timer !== undefined) d.xen.timers.stop(timer);
  d.watchdogTimers.fill(undefined);
}
