import type { ArchThreads, Time } from "../src/arch.js";
import { type Domain, vcpusOf } from "../src/domain.js";
import { mustLeaveGuest, vcpuBlock, vcpuUnblock, vcpuYield } from "../src/sched/core.js";
import { cpuTime } from "../src/sched/runstate.js";
import { type Bench, createBench } from "../src/testing.js";
import type { Vcpu } from "../src/vcpu.js";

/** Time that a guest on a thread takes to come out when it is kicked. */
const KICK = 30_000;
/** Rounds without any progress after which a hang is reported. */
const PATIENCE = 1000;

/** What a vCPU does next: it runs for a while, and then sleeps, gives way, or wakes another one and goes on. */
export interface Turn {
  readonly run: Time;
  readonly after: { readonly sleep: Time } | { readonly wake: Vcpu } | "yield";
}

/** A vCPU that does one turn after the other. */
interface Player {
  turn: Turn;
  /** Run time at which the turn is over. */
  endsAt: Time;
  next(): void;
  sleep(duration: Time): void;
}

/** A hypervisor whose further pCPUs run beside the first one, as the threads of a host do, and guests that only run and sleep. */
export interface Parallel {
  readonly bench: Bench;
  /** From now on the vCPUs of a domain do what `next` says, turn after turn. */
  play(d: Domain, next: (v: Vcpu) => Turn): void;
  /** Goes on until the clock reads `time`; `look` is called each time that all pCPUs have been looked after. */
  runUntil(time: Time, look: () => void): void;
}

export function createParallel(pcpus: number): Parallel {
  const players = new Map<Vcpu, Player>();
  /** Who is inside on a thread, and when it comes out. */
  const inside = new Map<number, { readonly v: Vcpu; until: Time }>();

  const turnEnd = (v: Vcpu): Time => clock.time + Math.max(0, players.get(v)!.endsAt - cpuTime(v, clock.time));
  const nextOut = (): Time => Math.min(...Array.from(inside.values(), ({ until }) => until));

  /** A guest has come out: what it came for, if its turn is over. */
  function handle(v: Vcpu): void {
    const player = players.get(v)!;
    if (turnEnd(v) > clock.time) return;
    const { after } = player.turn;
    player.next();
    if (after === "yield") vcpuYield(v);
    else if ("wake" in after) vcpuUnblock(after.wake);
    else player.sleep(after.sleep);
  }

  const threads: ArchThreads = {
    enter: (v, until) => void inside.set(v.processor, { v, until: Math.min(until, turnEnd(v)) }),
    leave(cpu) {
      const guest = inside.get(cpu);
      if (guest === undefined) return true;
      if (guest.until > clock.time) return false;
      inside.delete(cpu);
      handle(guest.v);
      return true;
    },
    kick(cpu) {
      const guest = inside.get(cpu);
      if (guest !== undefined) guest.until = Math.min(guest.until, clock.time + KICK);
    },
    stop(d) {
      for (const guest of inside.values()) if (guest.v.domain === d) guest.until = clock.time;
    },
  };
  const bench = createBench({ pcpus, threads, hasNews: () => nextOut() <= clock.time });
  const { xen, clock } = bench;

  /** A guest on the first pCPU. */
  function run(v: Vcpu, until: Time): void {
    do {
      clock.time = Math.max(clock.time, Math.min(until, turnEnd(v), nextOut()));
      handle(v);
    } while (clock.time < until && !mustLeaveGuest(v));
  }

  return {
    bench,
    play(d, next) {
      for (const v of vcpusOf(d)) {
        const alarm = xen.timers.create("alarm", () => vcpuUnblock(v));
        const player: Player = {
          turn: next(v),
          endsAt: 0,
          next() {
            this.turn = next(v);
            this.endsAt = cpuTime(v, clock.time) + this.turn.run;
          },
          sleep(duration) {
            xen.timers.set(alarm, clock.time + duration);
            vcpuBlock(v);
          },
        };
        player.next();
        players.set(v, player);
        bench.programs.set(v, run);
      }
    },
    runUntil(time, look) {
      for (let rounds = 0; clock.time < time; rounds++) {
        const before = clock.time;
        for (let cpu = 1; cpu < pcpus; cpu++) xen.runPcpu(cpu);
        const { ran } = xen.runPcpu(0);
        look();
        if (!ran) clock.time = Math.max(before, Math.min(time, nextOut(), xen.timers.next() ?? Infinity));
        else if (clock.time === before) clock.time += 1000; // A host's loop takes time, too.
        if (clock.time > before) rounds = 0;
        else if (rounds > PATIENCE) throw new Error(`nothing goes on at ${before} ns: ${xen.sched.pcpus.map(({ curr }) => curr?.processor ?? "idle").join()}`);
      }
    },
  };
}
