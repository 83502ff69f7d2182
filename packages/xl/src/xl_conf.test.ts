import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { applyGlobalConfig, type GlobalConfig, maskCpus, readGlobalConfig } from "./xl_conf.js";

let directory: string;
let lines: string[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "conf-test-"));
  lines = [];
});
afterEach(() => rmSync(directory, { recursive: true }));
function read(text: string): Promise<GlobalConfig> {
  const path = join(directory, "xl.conf");
  writeFileSync(path, text);
  return readGlobalConfig({ XL_CONF: path }, (line) => lines.push(line));
}

describe("xl.conf", () => {
  it.each<[string, string, GlobalConfig]>([
    ["nothing", "# all is as it was\n", { cpumasks: [] }],
    ["grant limits and claims", "max_grant_frames=5\nclaim_mode=0\n", { max_grant_frames: 5, claim_mode: false, cpumasks: [] }],
    ["masks", 'vm.cpumask="0-3"\nvm.hvm.cpumask="1-7"\nvm.pv.cpumask="0"\n', { cpumasks: ["0-3", "1-7"] }],
    ["keys without a meaning here", 'autoballoon="auto"\nlockfile="/x"\noutput_format="json"\n', { cpumasks: [] }],
  ])("with %s", async (_title, text, conf) => {
    expect(await read(text)).toEqual(conf);
    expect(lines).toEqual([]);
  });

  it("with errors ends xl", async () => {
    await expect(read("max_grant_frames=\n")).rejects.toThrow(/the config has errors/);
    await expect(read('output_format="sxp"\n')).rejects.toThrow(/output_format "sxp"/);
  });

  it("that cannot be read is only told; one that is not there is fine", async () => {
    expect(await readGlobalConfig({ XL_CONF: directory }, (line) => lines.push(line))).toEqual({ cpumasks: [] });
    expect(lines).toEqual([expect.stringMatching(/^xl: cannot read .*EISDIR/)]);
    lines = [];
    expect(await readGlobalConfig({ XDG_CONFIG_HOME: directory }, (line) => lines.push(line))).toHaveProperty("cpumasks");
    expect(lines).toEqual([]);
  });
});

it("the domain's own config wins over xl.conf", () => {
  const config = { c_info: { name: "a" }, b_info: { max_grant_frames: 7 } };
  expect(applyGlobalConfig(config, { max_grant_frames: 5, max_maptrack_frames: 6, cpumasks: [] }).b_info).toEqual({
    max_grant_frames: 7,
    max_maptrack_frames: 6,
  });
});

it("masks take CPUs away, but not all", () => {
  expect(
    maskCpus(
      [0, 1, 2, 3],
      [
        [1, 2, 3],
        [0, 1, 2],
      ],
    ),
  ).toEqual([1, 2]);
  expect(() => maskCpus([0], [[1]])).toThrow("the masks of xl.conf leave none");
});
