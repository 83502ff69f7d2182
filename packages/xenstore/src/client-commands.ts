import { type ClientContext, ClientError, errorText, orNull, succeeds } from "./client-types.js";
import type { XsAccess, XsPermission } from "./permissions.js";
import { sanitise, unsanitise } from "./sanitise.js";
import { bytesToText, textToBytes } from "./wire.js";

/** xenstore-read: values, a line each, or, with -R, as they are. */
export async function read({ nodes, operands, options, out, warn }: ClientContext): Promise<number> {
  for (const path of operands) {
    const value = await orNull(nodes.read(path));
    if (value === null) return failed(warn, `couldn't read path ${path}`);
    if (options.has("p")) out(`${path}: `);
    out(options.has("R") ? value : `${sanitise(value)}\n`);
  }
  return 0;
}

/** xenstore-write: pairs of path and value. */
export async function write({ nodes, operands, options, warn }: ClientContext): Promise<number> {
  for (let at = 0; at < operands.length; at += 2) {
    const [path = "", text = ""] = operands.slice(at, at + 2);
    const bytes = new TextEncoder().encode(text);
    const value = options.has("R") ? bytes : textToBytes(unsanitise(bytesToText(bytes)));
    if (!(await succeeds(nodes.write(path, value)))) return failed(warn, `could not write path ${path}`);
  }
  return 0;
}

/** xenstore-rm: removes; with -t also what is above, as long as it has neither children nor a value. */
export async function rm({ nodes, operands, options, warn }: ClientContext): Promise<number> {
  for (const operand of operands) {
    for (let path: string | undefined = operand; path !== undefined; ) {
      if (!(await succeeds(nodes.rm(path)))) return failed(warn, `could not remove path ${path}`);
      const above: string = path.slice(0, Math.max(0, path.lastIndexOf("/")));
      const isEmpty = options.has("t") && (await orNull(nodes.read(above))) === "" && (await orNull(nodes.directory(above)))?.length === 0;
      path = isEmpty ? above : undefined;
    }
  }
  return 0;
}

/** xenstore-exists: 0 if all can be read, 1 if not; says nothing. */
export async function exists({ nodes, operands }: ClientContext): Promise<number> {
  for (const path of operands) if ((await orNull(nodes.read(path))) === null) return 1;
  return 0;
}

/** xenstore-list: the names of the children, or, with -p, their paths. */
export async function list({ nodes, operands, options, out, warn }: ClientContext): Promise<number> {
  for (const path of operands) {
    const names = await orNull(nodes.directory(path));
    if (names === null) return failed(warn, `could not list path ${path}`);
    const prefix = options.has("p") ? `${path === "/" ? "" : path}/` : "";
    out(names.map((name) => `${prefix}${name}\n`).join(""));
  }
  return 0;
}

/** xenstore-chmod: sets the permissions of a node, with -u of those above too, with -r of those below. */
export async function chmod(context: ClientContext): Promise<number> {
  const [path = "", ...texts] = context.operands;
  const permissions = texts.map(parsePermission);
  await setPermissions(context, path, permissions);
  if (context.options.has("u")) await setAbove(context, path, permissions);
  if (context.options.has("r")) await setBelow(context, path, permissions);
  return 0;
}

async function setPermissions({ nodes }: ClientContext, path: string, permissions: readonly XsPermission[]): Promise<void> {
  try {
    await nodes.setPermissions(path, permissions);
  } catch (error) {
    throw new ClientError(`Error occurred setting permissions on '${path}': ${errorText(error)}`, { cause: error });
  }
}

async function setAbove(context: ClientContext, path: string, permissions: readonly XsPermission[]): Promise<void> {
  const slash = path.lastIndexOf("/");
  if (slash < 0) throw new ClientError(`Unable to locate path separator '/' in '${path}'`);
  if (slash === 0) return;
  await setPermissions(context, path.slice(0, slash), permissions);
  await setAbove(context, path.slice(0, slash), permissions);
}

async function setBelow(context: ClientContext, path: string, permissions: readonly XsPermission[]): Promise<void> {
  for (const name of (await orNull(context.nodes.directory(path))) ?? []) {
    const child = `${path === "/" ? "" : path}/${name}`;
    await setPermissions(context, child, permissions);
    await setBelow(context, child, permissions);
  }
}

/** A letter and a domain id; like the C tools, what is no number is 0. */
function parsePermission(text: string): XsPermission {
  const access = text.slice(0, 1);
  if (!"nrwb".includes(access) || access === "") throw new ClientError(`Invalid permission specification: '${access}'`);
  return { access: access as XsAccess, domid: Number.parseInt(text.slice(1), 10) || 0 };
}

function failed(warn: (line: string) => void, line: string): number {
  warn(line);
  return 1;
}
