import { describe, expect, it } from "vitest";
import { createVtimer, expire, loadVtimer, readCtl, readTval, saveVtimer, ticksAt, writeCtl, writeCval, writeTval } from "./vtimer.js";

const OFFSET = 1000;
/** The moment when a domain's virtual counter shows `ticks`. */
const at = (ticks: number) => (ticks + OFFSET) * 16;

describe("the virtual timer", () => {
  const armed = (cval: bigint) => {
    const t = createVtimer("virtual", 27, OFFSET);
    writeCval(t, cval, at(0));
    writeCtl(t, 1, at(0));
    return t;
  };

  it("counts 16 ns a tick from the domain's birth", () => {
    expect(ticksAt(at(7)) - OFFSET).toBe(7);
    expect(ticksAt(at(7) + 15) - OFFSET).toBe(7);
  });

  it("is due when the counter reaches CVAL", () => expect(armed(50n).deadline).toBe(at(50)));

  it.each<[string, number, number, number]>([
    ["disabled: ISTATUS reads 0", 0, 100, 0],
    ["enabled, not reached", 1, 49, 1],
    ["enabled, reached", 1, 50, 5],
    ["masked, reached", 3, 50, 7],
    ["ISTATUS cannot be written", 4, 100, 0],
  ])("CTL: %s", (_, ctl, ticks, expected) => {
    const t = createVtimer("virtual", 27, OFFSET);
    writeCval(t, 50n, at(0));
    writeCtl(t, ctl, at(0));
    expect(readCtl(t, at(ticks))).toBe(expected);
  });

  it("masks itself when it fires, as Xen does: the guest then reads 7", () => {
    const t = armed(50n);
    expect(expire(t)).toBe("inject");
    expect([readCtl(t, at(60)), t.deadline]).toEqual([7, Infinity]);
  });

  it("clearing IMASK with CVAL in the past fires again at once", () => {
    const t = armed(50n);
    expire(t);
    expect(writeCtl(t, 1, at(60))).toBe("inject");
  });

  it("a CVAL in the past fires at once", () => {
    const t = createVtimer("virtual", 27, OFFSET);
    writeCtl(t, 1, at(100));
    expect(readCtl(t, at(100))).toBe(7);
    expect(writeCval(t, 200n, at(100))).toBe("withdraw");
  });

  it.each<[string, (t: ReturnType<typeof armed>) => unknown]>([
    ["moving CVAL ahead", (t) => writeCval(t, 500n, at(60))],
    ["disabling", (t) => writeCtl(t, 0, at(60))],
  ])("%s takes back what fired and was not taken", (_, act) => {
    const t = armed(50n);
    expire(t);
    expect(act(t)).toBe("withdraw");
  });

  it.each<[string, number, number]>([
    ["positive", 100, 200],
    ["negative", 0xffff_fff6, 90],
  ])("TVAL is relative: %s", (_, tval, cval) => {
    const t = createVtimer("virtual", 27, OFFSET);
    writeTval(t, tval, at(100));
    expect(t.cval).toBe(BigInt(cval));
    expect(readTval(t, at(100))).toBe(tval);
  });

  it("never fires for a CVAL of all ones", () => expect(armed(0xffff_ffff_ffff_ffffn).deadline).toBeGreaterThan(1e20));

  it("keeps its distance when the counter's offset is another after loading", () => {
    const copy = createVtimer("virtual", 27, 0);
    loadVtimer(copy, saveVtimer(armed(50n)), 7000);
    expect(copy.deadline).toBe((50 + 7000) * 16);
  });

  it("is the same after save and load", () => {
    const t = armed(50n);
    const copy = createVtimer("virtual", 27, OFFSET);
    loadVtimer(copy, saveVtimer(t), OFFSET);
    expect(copy).toEqual(t);
  });
});

describe("the physical timer, emulated by Xen", () => {
  const create = () => createVtimer("physical", 30, 0);

  it("runs out even while masked, and notes it", () => {
    const t = create();
    writeCval(t, 50n, 0);
    writeCtl(t, 3, 0);
    expect(t.deadline).toBe(800);
    expect(expire(t)).toBe("masked");
    expect(readCtl(t, 801)).toBe(7);
  });

  it("injects when unmasked", () => {
    const t = create();
    writeCval(t, 50n, 0);
    writeCtl(t, 1, 0);
    expect(expire(t)).toBe("inject");
    expect(readCtl(t, 801)).toBe(5);
  });

  it("ISTATUS is Xen's note, not the comparison", () => {
    const t = create();
    writeCtl(t, 2, 0);
    writeCval(t, 0n, 1600);
    expect(readCtl(t, 1600)).toBe(2);
  });

  it("a CTL write clears the note and arms again", () => {
    const t = create();
    writeCval(t, 50n, 0);
    writeCtl(t, 3, 0);
    expire(t);
    expect(writeCtl(t, 1, 801)).toBe("inject");
  });
});
