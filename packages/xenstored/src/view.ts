import { bug } from "./bug.js";
import type { Node, NodePermission, NodeSource } from "./node.js";
import { childOf, leafOf, parentOf, type Path } from "./path.js";

const EMPTY: Uint8Array = new Uint8Array(0);

/** A change that watches are to be told of. */
export interface Change {
  /** Watches above the node are told too; false for what went with the removal of something above it. */
  readonly isSubtree: boolean;
  /** The permissions from before, which may still let somebody see the change. */
  readonly permissions: readonly NodePermission[] | undefined;
}

/** Nodes as a request or a transaction sees them: what it changed over what was there when it first looked. */
export class View implements NodeSource {
  readonly #base: NodeSource;
  /** What was there at the first look; undefined for nothing. */
  readonly seen: Map<Path, Node | undefined> = new Map();
  readonly changed: Map<Path, Node | undefined> = new Map();
  readonly events: Map<Path, Change> = new Map();

  constructor(base: NodeSource) {
    this.#base = base;
  }

  get(path: Path): Node | undefined {
    if (this.changed.has(path)) return this.changed.get(path);
    if (this.seen.has(path)) return this.seen.get(path);
    const node = this.#base.get(path);
    this.seen.set(path, node);
    return node;
  }

  nextGeneration(): number {
    return this.#base.nextGeneration();
  }

  /** Changes parts of a node that exists, and tells the watches. */
  update(path: Path, parts: Partial<Pick<Node, "value" | "permissions">>): void {
    const { permissions } = this.adjust(path, parts);
    this.#tell(path, { isSubtree: true, permissions });
  }

  /**
   * Makes a node that is missing, and what is missing above it. New nodes take the permissions of the node above; with `owner`, they are
   * that domain's.
   */
  create(path: Path, value: Uint8Array, owner: number | undefined): void {
    this.#make(path, value, owner);
    this.#tell(path, { isSubtree: true, permissions: undefined });
  }

  /**
   * Removes a node and all below it, deepest first, and takes it from its parent's list. False if the nodes do not fit together: a
   * transaction that looks at some of them before and at others after a change of somebody else sees that, and cannot be committed.
   */
  remove(path: Path): boolean {
    const parent = this.get(parentOf(path));
    if (parent === undefined || !this.#removeBelow(path, true)) return false;
    const leaf = leafOf(path);
    const childBytes = parent.childBytes - leaf.length - 1;
    this.adjust(parentOf(path), { children: parent.children.filter((name) => name !== leaf), childBytes });
    return true;
  }

  /** Takes over what a view on top of this one has changed. */
  merge(upper: View): void {
    for (const [path, node] of upper.changed) this.changed.set(path, node);
    for (const [path, change] of upper.events) this.#tell(path, change);
  }

  /** Changes parts of a node that exists, and tells nobody; returns the node from before. */
  adjust(path: Path, parts: Partial<Node>): Node {
    const before = this.#expect(path);
    this.changed.set(path, { ...before, ...parts, generation: this.nextGeneration() });
    return before;
  }

  #expect(path: Path): Node {
    return this.get(path) ?? bug(`${path} is missing`);
  }

  #make(path: Path, value: Uint8Array, owner: number | undefined): void {
    const parentPath = parentOf(path);
    if (this.get(parentPath) === undefined) this.#make(parentPath, EMPTY, owner);
    const { children, childBytes } = this.#expect(parentPath);
    const leaf = leafOf(path);
    const inherited = this.adjust(parentPath, { children: [...children, leaf], childBytes: childBytes + leaf.length + 1 }).permissions;
    const [first, ...others] = inherited as readonly [NodePermission, ...NodePermission[]];
    const permissions = owner === undefined ? inherited : [{ access: first.access, domid: owner }, ...others];
    this.changed.set(path, { value, permissions, children: [], childBytes: 0, generation: this.nextGeneration() });
  }

  #removeBelow(path: Path, isSubtree: boolean): boolean {
    const node = this.get(path);
    if (node === undefined || !node.children.every((leaf) => this.#removeBelow(childOf(path, leaf), false))) return false;
    this.changed.set(path, undefined);
    this.#tell(path, { isSubtree, permissions: node.permissions });
    return true;
  }

  /** The first change keeps its permissions from before; a change for all watches outweighs one for the node's own. */
  #tell(path: Path, change: Change): void {
    const earlier = this.events.get(path);
    this.events.set(path, earlier === undefined ? change : { isSubtree: earlier.isSubtree || change.isSubtree, permissions: earlier.permissions });
  }
}
