import { mkdtempSync, rmSync, statSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLibxl, type Libxl } from "libxl";
import { createXs } from "xenstore";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { buildDomain, createStillHost } from "../test/still-host.js";
import { createLog } from "./log.js";
import { metricsText } from "./metrics.js";
import { listenMetrics, parseMetricsAddress } from "./metrics-server.js";

const RESUMES = { counts: [0, 2, 0, 0, 1, 0, 0, 0, 0, 1], sum: 1_500_000_000 };
const FIGURES = { residentMemory: 1000, cpuTime: 1.5, startTime: 1e9, resumes: RESUMES };
let libxl: Libxl;
let domid: number;
beforeEach(async () => {
  const { ctrl } = createStillHost();
  domid = await buildDomain(ctrl);
  libxl = createLibxl(ctrl);
  await createXs(await ctrl.openStore()).write(`/local/domain/${domid}/name`, 'a "b"\\c\nd');
});

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Reads the text as the format's description says; throws for a line that it does not know. */
function parse(text: string): { samples: Sample[]; families: Map<string, { help: string; type: string }> } {
  const families = new Map<string, { help: string; type: string }>();
  const samples: Sample[] = [];
  let help: [string, string] | undefined;
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  for (const line of text.slice(0, -1).split("\n")) {
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.+)$/.exec(line);
    if (comment !== null) {
      const [, kind, name = "", rest = ""] = comment;
      if (kind === "HELP") help = [name, rest];
      else {
        if (families.has(name) || help?.[0] !== name || !/^(counter|gauge|histogram)$/.test(rest)) throw new Error(`out of place: ${line}`);
        families.set(name, { help: help[1], type: rest });
      }
      continue;
    }
    const [, name, braces, value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (-?[\d.]+(?:e[+-]?\d+)?)$/.exec(line) ?? [];
    const [family, { type }] = [...families].at(-1) ?? ["", { type: "" }];
    const own = type === "histogram" ? name?.replace(/_(bucket|sum|count)$/, "") : name;
    if (name === undefined || family !== own) throw new Error(`not in the format: ${line}`);
    const labels: Record<string, string> = {};
    const rest = (braces ?? "").replaceAll(/([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)",?/g, (_all, label: string, text: string) => {
      labels[label] = text.replaceAll(/\\(.)/g, (_escape, letter: string) => (letter === "n" ? "\n" : letter));
      return "";
    });
    if (rest !== "") throw new Error(`labels that are none: ${line}`);
    samples.push({ name, labels, value: Number(value) });
  }
  return { samples, families };
}

describe("the metrics", () => {
  it("have a histogram of resumes, whose buckets count what is below as well", async () => {
    const { samples } = parse(await metricsText(libxl, FIGURES));
    const resumes = samples.filter(({ name }) => name.startsWith("xen_domain_resume_seconds"));
    expect(resumes.map(({ labels, value }) => [labels["le"], value])).toEqual([
      ["0.00005", 0],
      ["0.0001", 2],
      ["0.00025", 2],
      ["0.0005", 2],
      ["0.001", 3],
      ["0.0025", 3],
      ["0.005", 3],
      ["0.01", 3],
      ["0.1", 3],
      ["+Inf", 4],
      [undefined, 1.5],
      [undefined, 4],
    ]);
  });

  it("are in the exposition format, with every performance counter and every domain", async () => {
    const { samples, families } = parse(await metricsText(libxl, FIGURES));
    for (const { name } of await libxl.ctrl.perfcQuery()) expect(families.get(`xen_perfc_${name}_total`)?.type).toBe("counter");
    expect(families.get("xen_domain_memory_bytes")).toEqual({ type: "gauge", help: "Memory that the domain has." });
    const name = 'a "b"\\c\nd';
    const ours = samples.filter(({ labels }) => labels["domid"] === String(domid));
    expect(ours).toContainEqual({ name: "xen_domain_memory_bytes", labels: { domid: String(domid), name }, value: 260 * 4096 });
    expect(ours).toContainEqual({ name: "xen_domain_state", labels: { domid: String(domid), name, state: "paused" }, value: 1 });
    expect(samples).toContainEqual({ name: "xen_memory_bytes", labels: {}, value: 2 ** 30 });
    expect(samples).toContainEqual({ name: "process_cpu_seconds_total", labels: {}, value: 1.5 });
  });

  it("tell why a domain is shut down", async () => {
    await libxl.ctrl.shutdownDomain(domid, 2);
    const { samples } = parse(await metricsText(libxl, FIGURES));
    expect(samples.filter(({ name }) => name === "xen_domain_shutdown")).toMatchObject([{ labels: { reason: "suspend" }, value: 1 }]);
  });
});

describe("their socket", () => {
  async function serve(): Promise<string> {
    const directory = mkdtempSync(join(tmpdir(), "metrics-test-"));
    const path = join(directory, "metrics.sock");
    const log = createLog("error", () => undefined);
    const server = await listenMetrics(() => metricsText(libxl, FIGURES), { path }, log);
    onTestFinished(async () => {
      await server.close();
      rmSync(directory, { recursive: true });
    });
    return path;
  }
  const get = (socketPath: string, path: string, method = "GET"): Promise<{ status: number | undefined; type: string | undefined; text: string }> =>
    new Promise((resolve, reject) => {
      const asked = request({ socketPath, path, method }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        response.once("end", () => resolve({ status: response.statusCode, type: response.headers["content-type"], text }));
      });
      asked.once("error", reject);
      asked.end();
    });

  it("is private and answers GET /metrics, and that alone", async () => {
    const path = await serve();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const answer = await get(path, "/metrics");
    expect(answer).toMatchObject({ status: 200, type: "text/plain; version=0.0.4; charset=utf-8" });
    expect(parse(answer.text).samples.length).toBeGreaterThan(100);
    expect((await get(path, "/other")).status).toBe(404);
    expect((await get(path, "/metrics", "POST")).status).toBe(405);
  });

  it("is not harmed by what is no request", async () => {
    const path = await serve();
    const socket = connect(path);
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("error", () => undefined);
    socket.end(Buffer.from([0, 255, 13, 10, 13, 10]));
    socket.resume();
    await closed;
    expect((await get(path, "/metrics")).status).toBe(200);
  });
});

it.each([
  ["9100", { host: "127.0.0.1", port: 9100 }],
  ["0.0.0.0:80", { host: "0.0.0.0", port: 80 }],
  ["[::1]:80", { host: "::1", port: 80 }],
  ["/run/m.sock", { path: "/run/m.sock" }],
])("the address %s", (text, address) => expect(parseMetricsAddress(text)).toEqual(address));

it.each(["", "x", "1.2.3.4", "70000", "a:b"])("no address: %s", (text) => expect(() => parseMetricsAddress(text)).toThrow("is no place for metrics"));
