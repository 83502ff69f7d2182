import { type Node, memoryOf } from "./node.js";
import type { Path } from "./path.js";
import type { NodeStore } from "./store.js";
import { View } from "./view.js";

/** A transaction: a view of the store that is committed as one, or not at all. */
export class Transaction {
  /** The client's name for it, unique among the connection's transactions. */
  readonly id: number;
  readonly view: View;
  /** Bytes that its changes count for in the client's memory quota. */
  memory = 0;

  constructor(id: number, store: NodeStore) {
    this.id = id;
    this.view = new View(store);
  }

  /** By how much `memory` would grow with these changes. */
  growth(changes: Iterable<readonly [Path, Node | undefined]>): number {
    let bytes = 0;
    for (const [path, node] of changes) bytes += memory(path, node) - memory(path, this.view.changed.get(path));
    return bytes;
  }

  /** True if somebody has changed a node since the transaction first looked at it. A node is never changed in place, so identity tells. */
  isInConflict(store: NodeStore): boolean {
    for (const [path, node] of this.view.seen) if (store.get(path) !== node) return true;
    return false;
  }
}

function memory(path: Path, node: Node | undefined): number {
  return node === undefined ? 0 : memoryOf(path, node);
}
