import { type ClientContext, ClientError, errorText } from "./client-types.js";
import { formatPermission } from "./permissions.js";
import { sanitise } from "./sanitise.js";
import { XsError } from "./xs-types.js";

/** What a value takes beside itself when it is cut: ` = "..."`. */
const TAG_LENGTH = 8;

/** How the lines are laid out. */
interface Layout {
  /** Lines longer than this are cut. */
  readonly maxWidth: number;
  /** Column of the permissions. */
  readonly permissionsAt: number;
  readonly showsPath: boolean;
  readonly showsPermissions: boolean;
}

/** xenstore-ls: the tree below a path, a node a line; with -f with whole paths and values, with -p with permissions. */
export async function ls(context: ClientContext): Promise<number> {
  const { options, operands, columns } = context;
  const showsPath = options.has("f");
  const terminal = columns === undefined ? (showsPath ? Infinity : 80) : columns - 2;
  const layout: Layout = { maxWidth: terminal, permissionsAt: showsPath ? 0 : 60, showsPath, showsPermissions: options.has("p") };
  for (const path of operands.length === 0 ? ["/"] : operands) await list(context, layout, path, 0);
  return 0;
}

async function list(context: ClientContext, layout: Layout, path: string, depth: number): Promise<void> {
  const names = await children(context, path);
  if (names === null) {
    if (depth > 0) return; // It has gone meanwhile.
    throw new ClientError(`xs_directory (${path}): ${errorText(new XsError("ENOENT", ""))}`);
  }
  for (const name of names) {
    const child = `${path}${path.endsWith("/") ? "" : "/"}${name}`;
    context.out(`${await line(context, layout, { path: child, name, depth })}\n`);
    await list(context, layout, child, depth + 1);
  }
}

async function children({ nodes }: ClientContext, path: string): Promise<string[] | null> {
  try {
    return await nodes.directory(path);
  } catch (error) {
    throw new ClientError(`xs_directory (${path}): ${errorText(error)}`, { cause: error });
  }
}

/** The line of one node, without its end. */
async function line({ nodes, warn }: ClientContext, layout: Layout, node: { path: string; name: string; depth: number }): Promise<string> {
  const { maxWidth, permissionsAt, showsPath, showsPermissions } = layout;
  const room = maxWidth - TAG_LENGTH;
  const left = showsPath ? node.path : " ".repeat(node.depth) + node.name.slice(0, Math.max(0, room - node.depth));
  const width = showsPath ? 0 : left.length; // -f does not count the path.
  const value = await nodes.read(node.path).catch(() => null);
  let text: string;
  if (value === null) text = `${left}:\n`;
  else if (maxWidth < width + value.length + TAG_LENGTH) text = `${left} = "${sanitise(value).slice(0, Math.max(0, room - width))}\\..."`;
  else {
    text = `${left} = "${sanitise(value)}"`;
    if (showsPermissions) text += dots(width + text.length - left.length, Math.min(permissionsAt, maxWidth));
  }
  return showsPermissions ? text + (await permissionsOf(nodes, node, warn)) : text;
}

/** A blank, and dots up to the column of the permissions. */
function dots(width: number, end: number): string {
  let text = " ";
  for (let column = width + 1; column < end; column++) text += column % 2 === 1 ? "." : " ";
  return text;
}

async function permissionsOf(nodes: ClientContext["nodes"], { path, name }: { path: string; name: string }, warn: ClientContext["warn"]): Promise<string> {
  try {
    const permissions = await nodes.getPermissions(path);
    if (permissions !== null) return `  (${permissions.map(formatPermission).join(",")})`;
    throw new XsError("ENOENT", "");
  } catch (error) {
    warn(`\ncould not access permissions for ${name}: ${errorText(error)}`);
    return "";
  }
}
