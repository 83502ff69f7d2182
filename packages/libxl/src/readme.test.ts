import { expect, test } from "vitest";
import { createLibxl } from "./index.js";
import { createFakeXenCtrl } from "./testing.js";

test("the example of the README runs and prints what it says", async () => {
  const image = new Uint8Array(4096);
  new DataView(image.buffer).setUint32(0x38, 0x644d5241, true);

  const ctrl = createFakeXenCtrl();
  const libxl = createLibxl(ctrl, { readFile: async () => image });
  const domid = await libxl.domainCreateNew({
    c_info: { name: "guest" },
    b_info: { kernel: "Image", target_memkb: 64 * 1024, max_vcpus: 2 },
  });
  await libxl.domainUnpause(domid);
  ctrl.guestShutdown(domid, 2);
  expect(await libxl.domainWaitShutdown(domid)).toBe("suspend");
  await libxl.domainResume(domid, true);
  expect((await libxl.domainInfo(domid)).shutdown).toBe(false);
});
