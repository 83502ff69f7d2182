import { DOMID, XENSTORE_PAYLOAD_MAX } from "xen-public";
import { formatPermission, packStrings, parsePermission, textToBytes, type XsErrorCode, type XsPermission } from "xenstore";
import { bug } from "./bug.js";
import type { Core } from "./core.js";
import { type Node, type NodePermission, ownerOf } from "./node.js";
import { parentOf, type Path, ROOT } from "./path.js";
import { type Right, rightsOf } from "./permission.js";
import { type Answer, type Handler, OK, onlyString, parseUnsigned, pathOf, type Request } from "./request.js";

/** The node if it exists and the caller may do all of `rights` with it. */
function findNode({ view, connection }: Request, path: Path | undefined, ...rights: readonly [Right, ...Right[]]): Node | XsErrorCode {
  if (path === undefined) return "EINVAL";
  const node = view.get(path);
  if (node !== undefined) {
    const granted = rightsOf(connection, node.permissions);
    if (rights.every((right) => granted[right])) return node;
  }
  // Who may not look at the nearest node above is not told whether there is a node.
  let above = parentOf(path);
  while (view.get(above) === undefined && above !== ROOT) above = parentOf(above);
  const parent = view.get(above) ?? bug("the root is missing");
  const grantedAbove = rightsOf(connection, parent.permissions);
  return node === undefined && rights.some((right) => grantedAbove[right]) ? "ENOENT" : "EACCES";
}

/** Replies with something of a node that the caller may read. */
function reading(reply: (node: Node) => Uint8Array, allowSpecial = false): Handler {
  return (request) => {
    const node = findNode(request, pathOf(request, onlyString(request), allowSpecial), "read");
    return typeof node === "string" ? node : reply(node);
  };
}

/** READ: the value. */
export const read: Handler = reading((node) => node.value);

/** DIRECTORY: the names of the children. */
export const directory: Handler = reading((node) => packStrings(...node.children));

/** GET_PERMS: the permissions, owner first. */
export const getPerms: Handler = reading((node) => packStrings(...node.permissions.map(formatPermission)), true);

/** DIRECTORY_PART: as many of the names as fit, from an offset on; an empty name ends the list. */
export function directoryPart(request: Request): Answer {
  const [name, offsetText] = request.strings;
  if (request.strings.length !== 2) return "EINVAL";
  const node = findNode(request, pathOf(request, name), "read");
  if (typeof node === "string") return node;
  const offset = parseUnsigned(offsetText);
  if (offset === undefined) return "EINVAL";
  const generation = `${node.generation}\0`;
  const names = `${node.children.map((leaf) => `${leaf}\0`).join("")}\0`;
  const rest = offset < names.length ? names.slice(offset) : "\0";
  const room = XENSTORE_PAYLOAD_MAX - generation.length;
  const part = rest.length <= room ? rest : rest.slice(0, rest.lastIndexOf("\0", room - 1) + 1);
  return textToBytes(generation + part);
}

/** Who owns what the caller makes: itself, unless it is privileged. */
function newOwner({ connection }: Request): number | undefined {
  return connection.isPrivileged ? undefined : connection.domid;
}

/** WRITE: sets the value; makes the node and those above where they are missing. */
export function write(request: Request): Answer {
  const { payload, view, strings } = request;
  const end = payload.indexOf(0);
  if (end < 0) return "EINVAL";
  const path = pathOf(request, strings[0]);
  const value = payload.slice(end + 1);
  const node = findNode(request, path, "write");
  if (typeof node === "string" && node !== "ENOENT") return node;
  if (typeof node === "string") view.create(path as Path, value, newOwner(request));
  else view.update(path as Path, { value });
  return OK;
}

/** MKDIR: makes the node and those above where they are missing. */
export function mkdir(request: Request): Answer {
  const path = pathOf(request, onlyString(request));
  const node = findNode(request, path, "write");
  if (typeof node === "string" && node !== "ENOENT") return node;
  if (typeof node === "string") request.view.create(path as Path, new Uint8Array(0), newOwner(request));
  return OK;
}

/** RM: removes the node and all below. A node that is not there is as good as removed if its parent is there. */
export function rm(request: Request): Answer {
  const path = pathOf(request, onlyString(request));
  const node = findNode(request, path, "write");
  if (node === "ENOENT") return request.view.get(parentOf(path as Path)) === undefined ? "ENOENT" : OK;
  if (typeof node === "string") return node;
  if (path === ROOT) return "EINVAL";
  return request.view.remove(path as Path) ? OK : "EAGAIN";
}

/** SET_PERMS: replaces the permissions. The owner may do it; only the privileged may change the owner. */
export function setPerms(request: Request): Answer {
  const { connection, core, view, strings } = request;
  const [name, ...texts] = strings;
  if (texts.length === 0) return "EINVAL";
  if (!connection.domain.account.allows("node-permissions", texts.length)) return "ENOSPC";
  connection.domain.account.see("node-permissions", texts.length);
  const parsed = texts.map(parsePermission);
  if (!parsed.every((entry) => entry !== undefined)) return "EINVAL";
  const permissions = parsed.map((entry): NodePermission => (isKnown(core, entry) ? entry : { ...entry, isIgnored: true }));
  const owner = permissions[0] ?? bug("no permissions");
  if (owner.isIgnored === true) return "ENOENT";
  const path = pathOf(request, name, true);
  const node = findNode(request, path, "write", "own");
  if (typeof node === "string") return node;
  if (!connection.isPrivileged && owner.domid !== ownerOf(node)) return "EPERM";
  view.update(path as Path, { permissions });
  return OK;
}

/** An entry counts only for a domain that exists when it is set, so that a later domain of the same id inherits nothing. */
function isKnown(core: Core, { domid }: XsPermission): boolean {
  return domid === DOMID.ANY || core.domains.find(domid) !== undefined;
}
