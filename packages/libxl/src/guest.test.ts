import { beforeEach, describe, expect, it } from "vitest";
import { lastWords } from "./guest-console.js";
import { createGuest, createGuestConsole, createLibxl, type DomainConfig, ERROR, type Guest, isLibxlError, withinHostTime, XenCtrlError } from "./index.js";
import { createFakeXenCtrl, type FakeXenCtrl } from "./testing.js";

const image = new Uint8Array(4096);
new DataView(image.buffer).setUint32(0x38, 0x644d5241, true);
const CONFIG: DomainConfig = { c_info: { name: "guest" }, b_info: { kernel: "Image", target_memkb: 64 * 1024 } };
const SHORT = { timeout: 20 };

let ctrl: FakeXenCtrl;
let guest: Guest;
beforeEach(async () => {
  ctrl = createFakeXenCtrl();
  guest = await createGuest(createLibxl(ctrl, { readFile: async () => image }), CONFIG);
});
const print = (text: string): void => ctrl.guestPrint(guest.domid, text);

describe("the console of a guest", () => {
  it("is waited for text by text, in order", async () => {
    print("one two ");
    expect(await guest.console.waitFor("one")).toBe("one");
    expect(await guest.console.waitFor(/t\w+/)).toBe(" two");
    const later = guest.console.waitFor("one");
    print("three one");
    expect(await later).toBe(" three one");
  });

  it("loses carriage returns and escape sequences, also those that come in pieces", async () => {
    const lines: string[] = [];
    print("first\r\nsec");
    guest.console.onLine((line) => lines.push(line));
    print("ond\u001b[");
    print("6n line\r\nthe third");
    expect(guest.console.text).toBe("first\nsecond line\nthe third");
    expect(lines).toEqual(["first", "second line"]);
  });

  it("takes what is typed, with Enter as a terminal sends it", async () => {
    await guest.console.type("echo mem > /sys/power/state\n");
    expect(ctrl.guestInput(guest.domid)).toBe("echo mem > /sys/power/state\r");
  });

  it("gives what a command of a shell printed", async () => {
    const output = guest.console.run("uname");
    print('# uname; echo "[done" 1:$?]\r\nLinux\r\n[done 1:0]\r\n# ');
    expect(await output).toBe("Linux");
  });

  it("says what was seen instead when time is up", async () => {
    print("Kernel panic\n");
    const error: unknown = await guest.console.waitFor("login:", SHORT).catch((caught: unknown) => caught);
    expect(isLibxlError(error, "TIMEDOUT")).toBe(true);
    expect(String(error)).toBe(`LibxlError: guest's pv console: 0.02 s went by without "login:"; it printed last:\nKernel panic`);
  });

  it("says so when it ends with the domain", async () => {
    const wait = expect(guest.console.waitFor(/login:/)).rejects.toMatchObject({
      code: ERROR.DOMAIN_DESTROYED,
      message: "guest's pv console ended without /login:/; it printed nothing",
    });
    await guest.destroy();
    await wait;
    await guest.console.ended;
  });
});

it.each<[string, () => Promise<void>, object]>([
  [
    "nobody can",
    () => Promise.reject(new XenCtrlError("writeConsole", 16, "somebody else types at this console")),
    { code: ERROR.FAIL, message: "the console cannot be typed at: somebody else types at this console" },
  ],
  [
    "the guest does not take it",
    () => new Promise(() => undefined),
    { code: ERROR.TIMEDOUT, message: "the console has not taken what was typed for 0.02 s; it printed nothing" },
  ],
])("typing at a console is an error where %s", async (_title, write, error) => {
  const never = new Promise<void>(() => undefined);
  const stream = { onOutput: () => undefined, write, closed: never, close: () => undefined };
  await expect(createGuestConsole(stream, "the console", withinHostTime).type("x", SHORT)).rejects.toMatchObject(error);
});

it.each([
  ["nothing", " \n", "it printed nothing"],
  ["a little", "one\ntwo\n", "it printed last:\none\ntwo"],
  ["whole lines of much", `${"a".repeat(1500)}\n${"b".repeat(1500)}\nend\n`, `it printed last:\n${"b".repeat(1500)}\nend`],
  ["the end of one long line", "a".repeat(3000), `it printed last:\n${"a".repeat(2000)}`],
])("an error shows %s", (_title, text, shown) => {
  expect(lastWords(text)).toBe(shown);
});

describe("the end of a guest", () => {
  it("is waited for, and comes again behind a resume", async () => {
    const first = guest.waitForShutdown();
    ctrl.guestShutdown(guest.domid, 2);
    expect(await first).toBe("suspend");
    expect(await guest.waitForShutdown()).toBe("suspend");
    await guest.resume();
    const second = guest.waitForShutdown();
    ctrl.guestShutdown(guest.domid, 0);
    expect(await second).toBe("poweroff");
  });

  it("says what the guest does instead when time is up", async () => {
    await guest.pause();
    print("sleeping\n");
    await expect(guest.waitForShutdown(SHORT)).rejects.toMatchObject({
      code: ERROR.TIMEDOUT,
      message: "guest has not shut down for 0.02 s: it is paused; it printed last:\nsleeping",
    });
  });

  it("is told apart from a domain that was destroyed", async () => {
    const wait = expect(guest.waitForShutdown()).rejects.toMatchObject({ code: ERROR.DOMAIN_DESTROYED });
    await guest.destroy();
    await wait;
  });
});

it("a guest that does not use xenstore is not asked through it", async () => {
  await expect(guest.suspend()).rejects.toMatchObject({ code: ERROR.NOPARAVIRT });
  await expect(guest.shutdown()).rejects.toMatchObject({ code: ERROR.NOPARAVIRT });
});

it("a domain whose console cannot be opened is not left behind", async () => {
  ctrl.failNext("openConsole", 2);
  await expect(createGuest(createLibxl(ctrl, { readFile: async () => image }), { ...CONFIG, c_info: { name: "other" } })).rejects.toMatchObject({
    code: ERROR.FAIL,
  });
  expect([...ctrl.domains.keys()]).toEqual([guest.domid]);
});
