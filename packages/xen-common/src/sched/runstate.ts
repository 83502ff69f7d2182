import { VCPU_RUNSTATE_INFO, VMASST_TYPE, writeStruct, XEN_RUNSTATE_UPDATE } from "xen-public";
import type { Time } from "../arch.js";
import { RUNSTATE, type Runstate, type Vcpu } from "../vcpu.js";

/** Moves the vCPU to `state` and books the time of the state it leaves (vcpu_runstate_change). */
export function runstateChange(v: Vcpu, state: Runstate, now: Time): void {
  const { runstate } = v;
  if (runstate.state === state) return;
  const spent = now - runstate.stateEntryTime;
  if (spent > 0) {
    runstate.time[runstate.state] += spent;
    runstate.stateEntryTime = now;
  }
  runstate.state = state;
}

/** The four times with the present stay included (vcpu_runstate_get). */
export function runstateTimes(v: Vcpu, now: Time): readonly [number, number, number, number] {
  const time: [number, number, number, number] = [...v.runstate.time];
  time[v.runstate.state] += Math.max(0, now - v.runstate.stateEntryTime);
  return time;
}

/** Nanoseconds the vCPU ran, the present slice included. */
export function cpuTime(v: Vcpu, now: Time): Time {
  return runstateTimes(v, now)[RUNSTATE.RUNNING];
}

/** Writes the guest's runstate area, if it has one. With the VM assist, bit 63 of the entry time is set meanwhile. */
export function updateRunstateArea(v: Vcpu): void {
  const pieces = v.runstateGuest;
  if (pieces === undefined) return;
  const { state, stateEntryTime, time } = v.runstate;
  const isFlagged = (v.domain.vmAssist & (1 << VMASST_TYPE.runstate_update_flag)) !== 0;
  const image = new Uint8Array(VCPU_RUNSTATE_INFO.size);
  const copy = (): void => {
    let at = 0;
    for (const { bytes } of pieces) {
      bytes.set(image.subarray(at, at + bytes.length));
      at += bytes.length;
    }
  };
  const entry = BigInt(stateEntryTime);
  if (isFlagged) {
    // The guest may read on another vCPU: first the mark over the old content, then the content, then the mark away.
    let at = 0;
    for (const { bytes } of pieces) {
      image.set(bytes, at);
      at += bytes.length;
    }
    writeStruct(VCPU_RUNSTATE_INFO, image, { state_entry_time: entry | XEN_RUNSTATE_UPDATE });
    copy();
  }
  writeStruct(VCPU_RUNSTATE_INFO, image, {
    state,
    state_entry_time: isFlagged ? entry | XEN_RUNSTATE_UPDATE : entry,
    time0: BigInt(time[0]),
    time1: BigInt(time[1]),
    time2: BigInt(time[2]),
    time3: BigInt(time[3]),
  });
  copy();
  if (!isFlagged) return;
  writeStruct(VCPU_RUNSTATE_INFO, image, { state_entry_time: entry });
  copy();
}
