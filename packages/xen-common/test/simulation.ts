import type { Time } from "../src/arch.js";
import { vcpuBlock, vcpuUnblock } from "../src/sched/core.js";
import type { Credit2Unit, RunQueue } from "../src/sched/credit2-types.js";
import type { Pcpu, SchedParams } from "../src/sched/private.js";
import { cpuTime } from "../src/sched/runstate.js";
import { type Bench, createBench } from "../src/testing.js";
import { RUNSTATE, type Vcpu } from "../src/vcpu.js";

/** What a guest does all the time: it runs for a while, then sleeps for a while. Without, it never sleeps. */
export interface Habit {
  readonly run: () => Time;
  readonly sleep: () => Time;
}

/** A guest of the simulation: one vCPU. */
export interface SimulatedGuest {
  readonly vcpu: Vcpu;
  readonly unit: Credit2Unit;
  /** Nanoseconds that it ran. */
  ran(): Time;
  /** Longest time that it could have run and did not, from one run to the next. */
  longestWait: Time;
  /** Times from a wake to the first instruction. */
  readonly latencies: Time[];
}

/** A guest with what the simulation must remember of it. */
interface Player extends SimulatedGuest {
  /** Run time after which it goes to sleep. */
  napAfter: Time;
  /** Since when it is awake without having run. */
  wokenAt: Time | undefined;
  /** Time that it had waited in all when it last began to run. */
  waited: Time;
  nap(): void;
}

/** What a guest is created with. */
export interface GuestOptions extends Partial<SchedParams> {
  readonly habit?: Habit;
  /** The only pCPU that it may use. */
  readonly pin?: number;
}

/**
 * Credit2 and the scheduling core over pCPUs that really run at the same time: nothing of a guest but when it wants to run. The clock goes from one
 * event to the next: a timer, the end of a slice, a guest that goes to sleep.
 */
export interface Simulation {
  readonly bench: Bench;
  /** Times that a pCPU had nothing to do while a vCPU waited in its queue. */
  readonly wasted: readonly Time[];
  add(options?: GuestOptions): SimulatedGuest;
  runUntil(time: Time): void;
}

export function createSimulation(pcpus: number): Simulation {
  const bench = createBench({ pcpus });
  const { xen, clock } = bench;
  const guests = new Map<Vcpu, Player>();
  /** By pCPU: when the guest on it goes to sleep. */
  const naps: Time[] = Array.from({ length: pcpus }, () => Infinity);
  const queues: RunQueue[] = [];
  const wasted: Time[] = [];

  function add({ habit, pin, ...params }: GuestOptions = {}): SimulatedGuest {
    const domain = bench.guest({ pages: 1, paused: true });
    const vcpu = domain.vcpus[0]!;
    xen.domctl.setSchedulerParams(domain.domainId, params);
    if (pin !== undefined) xen.domctl.setVcpuAffinity(domain.domainId, 0, { hard: [pin] });
    const wake = xen.timers.create("wake", () => {
      guest.napAfter = guest.ran() + (habit?.run() ?? Infinity);
      guest.wokenAt = clock.time;
      vcpuUnblock(vcpu);
    });
    const guest: Player = {
      vcpu,
      unit: vcpu.schedPrivate as Credit2Unit,
      ran: () => cpuTime(vcpu, clock.time),
      longestWait: 0,
      latencies: [],
      napAfter: habit?.run() ?? Infinity,
      wokenAt: undefined,
      waited: 0,
      nap() {
        xen.timers.set(wake, clock.time + (habit?.sleep() ?? 0));
        vcpuBlock(vcpu);
      },
    };
    guests.set(vcpu, guest);
    xen.domctl.unpauseDomain(domain.domainId);
    return guest;
  }

  /** Somebody else is on the pCPU. */
  function begin(pcpu: Pcpu, guest: Player | undefined): void {
    naps[pcpu.id] = guest === undefined ? Infinity : clock.time + guest.napAfter - guest.ran();
    if (guest === undefined) return;
    queues[pcpu.id] = guest.unit.dom.queue;
    const waited = guest.vcpu.runstate.time[RUNSTATE.RUNNABLE];
    guest.longestWait = Math.max(guest.longestWait, waited - guest.waited);
    guest.waited = waited;
    if (guest.wokenAt !== undefined) guest.latencies.push(clock.time - guest.wokenAt);
    guest.wokenAt = undefined;
  }

  function choose(pcpu: Pcpu): void {
    const before = pcpu.curr;
    for (let round = 0; pcpu.softirqPending && round < 4; round++) xen.sched.schedule(pcpu.id);
    if (pcpu.curr !== before) begin(pcpu, pcpu.curr && guests.get(pcpu.curr));
  }

  /** All that happens at this moment. */
  function settle(): void {
    xen.timers.runDue();
    for (const pcpu of xen.sched.pcpus) {
      if (pcpu.curr !== undefined && naps[pcpu.id]! <= clock.time) guests.get(pcpu.curr)!.nap();
      if (pcpu.sliceEnd !== undefined && pcpu.sliceEnd <= clock.time) pcpu.softirqPending = true;
    }
    while (xen.sched.pcpus.some(({ softirqPending }) => softirqPending)) for (const pcpu of xen.sched.pcpus) choose(pcpu);
    for (const { id, curr } of xen.sched.pcpus) if (curr === undefined && (queues[id]?.entries.length ?? 0) > 0) wasted.push(clock.time);
  }

  function next(): Time {
    let time = xen.timers.next() ?? Infinity;
    for (const { id, curr, sliceEnd } of xen.sched.pcpus) if (curr !== undefined) time = Math.min(time, sliceEnd ?? Infinity, naps[id]!);
    return time;
  }

  return {
    bench,
    wasted,
    add,
    runUntil(time) {
      for (settle(); clock.time < time; settle()) clock.time = Math.min(time, next());
    },
  };
}
