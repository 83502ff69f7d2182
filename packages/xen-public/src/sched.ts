/** Subcommands of sched_op (public/sched.h). */
export const SCHEDOP = {
  yield: 0,
  block: 1,
  shutdown: 2,
  poll: 3,
  remote_shutdown: 4,
  shutdown_code: 5,
  watchdog: 6,
  pin_override: 7,
} as const;

/** Why a domain was shut down (public/sched.h `SHUTDOWN_*`). */
export const SHUTDOWN = { poweroff: 0, reboot: 1, suspend: 2, crash: 3, watchdog: 4, soft_reset: 5 } as const;
/** One of the codes. */
export type ShutdownReason = (typeof SHUTDOWN)[keyof typeof SHUTDOWN];
/** Highest code that a guest may give. */
export const SHUTDOWN_MAX = 5;

/** struct sched_shutdown. */
export const SCHED_SHUTDOWN = { size: 4, fields: { reason: [0, "u32"] } } as const;
/** struct sched_remote_shutdown. */
export const SCHED_REMOTE_SHUTDOWN = { size: 8, fields: { domain_id: [0, "u16"], reason: [4, "u32"] } } as const;
/** struct sched_poll; the timeout is nanoseconds of system time. */
export const SCHED_POLL = { size: 24, fields: { ports: [0, "u64"], nr_ports: [8, "u32"], timeout: [16, "u64"] } } as const;
/** struct sched_watchdog; the timeout is seconds. */
export const SCHED_WATCHDOG = { size: 8, fields: { id: [0, "u32"], timeout: [4, "u32"] } } as const;
/** struct sched_pin_override. */
export const SCHED_PIN_OVERRIDE = { size: 4, fields: { pcpu: [0, "i32"] } } as const;
/** Most ports that SCHEDOP_poll takes. */
export const SCHED_POLL_MAX_PORTS = 128;

/** Scheduler ids (public/domctl.h `XEN_SCHEDULER_*`). */
export const XEN_SCHEDULER = { sedf: 4, credit: 5, credit2: 6, arinc653: 7, rtds: 8, null: 9 } as const;
