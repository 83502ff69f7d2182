import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { cacheFolder } from "./cache.js";

const run = promisify(execFile);

/** An apt of our own for one architecture: own state, own cache, package sources copied from the system's; needs no root and changes nothing outside `folder`. */
export interface PrivateApt {
  /** Fetches the package lists. */
  update(): Promise<void>;
  /** Names of the packages that `name` depends on. */
  depends(name: string): Promise<string[]>;
  /** Names of the packages that `names` depend on, directly or not, and their own. */
  closure(names: readonly string[]): Promise<string[]>;
  /** Downloads a package's .deb into `folder`; returns its path. */
  download(name: string): Promise<string>;
  /** Downloads several; returns their paths. */
  downloadAll(names: readonly string[]): Promise<string[]>;
}

/**
 * Works with a private apt for packages of one of Debian's architectures, in a folder that is there for the work alone. Throws an Error that says why
 * where the system has no apt or no Debian package source.
 */
export async function withPrivateApt<T>(architecture: string, work: (apt: PrivateApt, folder: string) => Promise<T>): Promise<T> {
  const folder = join(cacheFolder, `apt-${process.pid}`);
  try {
    return await work(createPrivateApt(folder, architecture), folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function createPrivateApt(folder: string, architecture: string): PrivateApt {
  const at = (...path: string[]): string => join(folder, ...path);
  for (const path of ["lists/partial", "archives/partial", "sources"]) mkdirSync(at(path), { recursive: true });
  writeFileSync(at("status"), "");
  writeFileSync(at("sources", "debian.sources"), debianSources("/etc/apt"));
  const config = at("apt.conf");
  writeFileSync(
    config,
    Object.entries({
      "APT::Architecture": architecture,
      "APT::Architectures": architecture,
      "APT::Sandbox::User": "",
      "APT::Update::Error-Mode": "any",
      "Acquire::Languages": "none",
      "Acquire::http::Timeout": "20",
      "Acquire::https::Timeout": "20",
      "Dir::State": folder,
      "Dir::State::status": at("status"),
      "Dir::Cache": folder,
      "Dir::Etc::sourcelist": at("none"),
      "Dir::Etc::sourceparts": at("sources"),
      "Dir::Etc::preferences": at("none"),
      "Dir::Etc::preferencesparts": at("none"),
    })
      .map(([key, value]) => `${key} "${value}";\n`)
      .join(""),
  );

  const apt = async (tool: string, ...args: string[]): Promise<string> => {
    const env = { ...process.env, APT_CONFIG: config, LC_ALL: "C" };
    try {
      return (await run(tool, args, { cwd: folder, env, maxBuffer: 1 << 26 })).stdout;
    } catch (error) {
      throw new Error(`${tool} ${args.join(" ")} failed: ${reason(error)}`, { cause: error });
    }
  };
  return {
    async update() {
      await apt("apt-get", "update", "-q");
    },
    async depends(name) {
      const text = await apt("apt-cache", "depends", "--important", name);
      return [...text.matchAll(/^\s+Depends: (\S+)$/gm)].flatMap((match) => match[1] ?? []);
    },
    async closure(names) {
      const text = await apt("apt-cache", "depends", "--important", "--recurse", ...names);
      return [...text.matchAll(/^([a-z0-9]\S*)$/gm)].flatMap((match) => match[1] ?? []);
    },
    async download(name) {
      const [file = ""] = await this.downloadAll([name]);
      return file;
    },
    async downloadAll(names) {
      await apt("apt-get", "download", "-q", ...names);
      const files = readdirSync(folder).filter((entry) => entry.endsWith(".deb"));
      return names.map((name) => {
        const file = files.find((entry) => entry.startsWith(`${name}_`));
        if (file === undefined) throw new Error(`apt-get download ${name} left no file.`);
        return at(file);
      });
    },
  };
}

/** The system's Debian package sources in deb822 form, cut down to `main`. */
function debianSources(etc: string): string {
  const parts = readable(join(etc, "sources.list.d"));
  const stanzas = [
    ...parts.filter((name) => name.endsWith(".sources")).flatMap((name) => fromDeb822(readFileSync(join(etc, "sources.list.d", name), "utf8"))),
    ...[join(etc, "sources.list"), ...parts.filter((name) => name.endsWith(".list")).map((name) => join(etc, "sources.list.d", name))].flatMap(fromOneLine),
  ];
  if (stanzas.length === 0) throw new Error("apt has no Debian package source configured.");
  return stanzas.join("\n");
}

/** `deb [options] uri suite component...` lines. */
function fromOneLine(path: string): string[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return [];
  }
  return [...text.matchAll(/^deb\s+(?:\[(.*?)\]\s+)?(\S+)\s+(\S+)\s+(.+)$/gm)].flatMap(([, options = "", uri = "", suite = "", components = ""]) => {
    if (!isDebian(uri, components)) return [];
    const signedBy = /signed-by=(\S+)/.exec(options)?.[1];
    return [stanza(uri, suite, signedBy)];
  });
}

function fromDeb822(text: string): string[] {
  return text.split(/\n\s*\n/).flatMap((paragraph) => {
    const field = (name: string): string => new RegExp(`^${name}:\\s*(.+)$`, "im").exec(paragraph)?.[1] ?? "";
    if (!/\bdeb\b/.test(field("Types")) || /^no$/i.test(field("Enabled")) || !isDebian(field("URIs"), field("Components"))) return [];
    return [stanza(field("URIs"), field("Suites"), field("Signed-By"))];
  });
}

function isDebian(uris: string, components: string): boolean {
  return /debian/.test(uris) && /(^|\s)main(\s|$)/.test(components);
}

function stanza(uris: string, suites: string, signedBy: string | undefined): string {
  return `Types: deb\nURIs: ${uris}\nSuites: ${suites}\nComponents: main\n${signedBy ? `Signed-By: ${signedBy}\n` : ""}`;
}

function readable(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

/** The first line of apt's own errors, or what Node says about the program. */
function reason(error: unknown): string {
  const { stderr, code, message } = error as { stderr?: string; code?: unknown; message: string };
  if (code === "ENOENT") return "the program is not installed.";
  return /^E: (.+)$/m.exec(stderr ?? "")?.[1] ?? message.split("\n")[0] ?? "unknown";
}
