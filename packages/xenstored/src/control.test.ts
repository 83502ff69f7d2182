import { XS } from "xen-public";
import { describe, expect, it, test } from "vitest";
import { createTestStore } from "./testing.js";

describe.each<[string, readonly string[], string]>([
  ["check", ["check"], "OK"],
  ["check takes nothing", ["check", "all"], "EINVAL"],
  ["log shows its switch", ["log"], "Log switch settings:\nio      : off\n"],
  ["log takes no other switch", ["log", "+apples"], "EINVAL"],
  ["print needs something", ["print"], "EINVAL"],
  ["quota of a missing domain", ["quota", "77"], "ENOENT"],
  ["quota set", ["quota", "set", "nodes", "5"], "OK"],
  ["quota set to 0", ["quota", "set", "nodes", "0"], "EINVAL"],
  ["quota set of something else", ["quota", "set", "apples", "5"], "EINVAL"],
  ["quota max takes -r", ["quota", "max", "-x"], "EINVAL"],
  ["quota-soft", ["quota-soft"], "Quota settings:\nmemory           :  2097152 Total Xenstore memory per domain\n"],
  ["quota-soft set", ["quota-soft", "set", "memory", "5"], "OK"],
  ["quota-soft set of a quota without", ["quota-soft", "set", "nodes", "5"], "EINVAL"],
  ["an unknown command", ["apples"], "EINVAL"],
  ["a command of Object's", ["toString"], "EINVAL"],
])("%s", (_, strings, reply) => {
  it(`answers ${JSON.stringify(reply)}`, () => {
    expect(
      createTestStore()
        .client()
        .call(XS.CONTROL, ...strings),
    ).toBe(reply);
  });
});

test("help lists the commands and what they take", () => {
  const lines = createTestStore().client().call(XS.CONTROL, "help")?.split("\n");
  expect(lines?.[0]).toBe("check           ");
  expect(lines?.[3]).toBe("quota           [set <name> <val>|<domid>|max [-r]]");
});

test("quota shows what a domain uses and has used, and max the most of all", () => {
  const { client } = createTestStore();
  const dom0 = client();
  for (const name of ["a", "b"]) {
    dom0.write(`/${name}`);
    dom0.call(XS.SET_PERMS, `/${name}`, "n1");
  }
  dom0.call(XS.RM, "/a");
  expect(dom0.call(XS.CONTROL, "quota", "1")).toContain("nodes            :        1 (max        2)\n");
  expect(dom0.call(XS.CONTROL, "quota", "max")).toContain("nodes            :        2\n");
  expect(dom0.call(XS.CONTROL, "quota", "max", "-r")).toContain("nodes            :        1\n");
});

test("print and the io switch write to the log", () => {
  const lines: string[] = [];
  const dom0 = createTestStore({ log: (line) => lines.push(line) }).client();
  dom0.call(XS.CONTROL, "print", "hello");
  dom0.call(XS.CONTROL, "log", "on");
  dom0.ask(XS.READ, "/none\0");
  dom0.call(XS.CONTROL, "log", "off");
  dom0.ask(XS.READ, "/none\0");
  expect(lines).toEqual([
    "control: hello",
    'out d0 CONTROL req 1 tx 0 ["OK"]',
    'in d0 READ req 1 tx 0 ["/none"]',
    'out d0 ERROR req 1 tx 0 ["ENOENT"]',
    'in d0 CONTROL req 1 tx 0 ["log","off"]',
  ]);
});
