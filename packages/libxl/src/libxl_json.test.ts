import { describe, expect, it } from "vitest";
import { ERROR } from "./include/libxl.js";
import { createLibxl } from "./libxl.js";
import { domainConfigFromJson, domainConfigToJson, yajlGen } from "./libxl_json.js";
import type { DomainConfig } from "./libxl_types.js";
import { createFakeXenCtrl } from "./testing.js";

const config: DomainConfig = {
  b_info: {
    arch_arm: { vuart: "sbsa_uart", gic_version: "v3" },
    cmdline: "console=hvc0",
    kernel: "/boot/Image",
    claim_mode: true,
    acpi: false,
    target_memkb: 524288,
    max_memkb: 524288,
    avail_vcpus: [0, 1],
    max_vcpus: 2,
    sched_params: { weight: 512 },
  },
  c_info: { uuid: "01234567-89ab-cdef-0123-456789abcdef", name: "guest", type: "pvh" },
  disks: [{ vdev: "xvda", readwrite: 1, is_cdrom: 0, pdev_path: "/disk" }],
  on_reboot: "restart",
  on_poweroff: "destroy",
};

describe("a config as JSON", () => {
  it("has the IDL's order, leaves defaults out and writes defbools as words", () => {
    expect(yajlGen(domainConfigToJson(config))).toBe(`{
    "c_info": {
        "type": "pvh",
        "name": "guest",
        "uuid": "01234567-89ab-cdef-0123-456789abcdef"
    },
    "b_info": {
        "max_vcpus": 2,
        "avail_vcpus": [
            0,
            1
        ],
        "max_memkb": 524288,
        "target_memkb": 524288,
        "sched_params": {
            "weight": 512
        },
        "claim_mode": "True",
        "kernel": "/boot/Image",
        "cmdline": "console=hvc0",
        "acpi": "False",
        "type.pvh": {

        },
        "arch_arm": {
            "gic_version": "v3",
            "vuart": "sbsa_uart"
        },
        "arch_x86": {

        }
    },
    "disks": [
        {
            "pdev_path": "/disk",
            "vdev": "xvda",
            "readwrite": 1
        }
    ],
    "on_reboot": "restart"
}`);
  });

  it("is read back as it was, with the defaults that it left out", () => {
    const back = domainConfigFromJson(JSON.parse(JSON.stringify(domainConfigToJson(config))));
    expect(back).toMatchObject({ c_info: config.c_info, b_info: config.b_info, on_poweroff: "destroy", on_reboot: "restart", on_crash: "destroy" });
    expect(domainConfigToJson(back)).toEqual(domainConfigToJson(config));
  });

  it.each([[null], [[]], [{}], [{ c_info: {} }], [{ c_info: { name: 5 } }], ["text"]])("is not made of %j", (json) => {
    expect(() => domainConfigFromJson(json)).toThrow("no c_info.name");
  });

  it("that is broken or missing in the store is told apart", async () => {
    const ctrl = createFakeXenCtrl();
    const libxl = createLibxl(ctrl);
    await expect(libxl.retrieveDomainConfiguration(1)).rejects.toMatchObject({ code: ERROR.JSON_CONFIG_EMPTY });
    await libxl.userdataStore(1, "libxl-json", "{");
    await expect(libxl.retrieveDomainConfiguration(1)).rejects.toMatchObject({ code: ERROR.FAIL });
  });
});

it("keeps other userdata until it is removed", async () => {
  const libxl = createLibxl(createFakeXenCtrl());
  await libxl.userdataStore(1, "xl", "text");
  expect(await libxl.userdataRetrieve(1, "xl")).toBe("text");
  await libxl.userdataUnlink(1, "xl");
  expect(await libxl.userdataRetrieve(1, "xl")).toBeUndefined();
});
