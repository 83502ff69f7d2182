import type { XsPermission } from "xenstore";
import type { Path } from "./path.js";

/** An entry of a node's permissions. One for a domain that did not exist when it was set counts for nothing, ever. */
export interface NodePermission extends XsPermission {
  readonly isIgnored?: true;
}

/** One node of the store. Never changed: a write makes a new one, so that identity tells whether somebody wrote in between. */
export interface Node {
  readonly value: Uint8Array;
  /** At least one; the first names the owner. */
  readonly permissions: readonly NodePermission[];
  /** Names of the children, oldest first. */
  readonly children: readonly string[];
  /** Bytes of those names, each with a NUL. */
  readonly childBytes: number;
  /** Grows with each write of the node. */
  readonly generation: number;
}

/** What can be asked of a tree of nodes: the store, or a transaction's view of it. */
export interface NodeSource {
  get(path: Path): Node | undefined;
  /** The generation of the next write. */
  nextGeneration(): number;
}

/** The domain that owns a node. */
export function ownerOf(node: Node): number {
  return (node.permissions[0] as NodePermission).domid;
}

/** Bytes that a node counts for: xenstored's record of header, permissions, value and the names of its children. */
export function sizeOf(node: Node): number {
  return 16 + 8 * node.permissions.length + node.value.length + node.childBytes;
}

/** Bytes that a node counts for in its owner's memory quota. */
export function memoryOf(path: Path, node: Node): number {
  return sizeOf(node) + path.length;
}
