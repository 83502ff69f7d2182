import type { Node, NodeSource } from "./node.js";
import { memoryOf, ownerOf } from "./node.js";
import { childOf, isSpecial, type Path, ROOT } from "./path.js";

/** By how much a domain's nodes and their memory have changed. */
export interface Usage {
  nodes: number;
  memory: number;
}

/** All nodes as they are committed. */
export class NodeStore implements NodeSource {
  readonly #nodes: Map<Path, Node> = new Map();
  #generation = 0;

  get(path: Path): Node | undefined {
    return this.#nodes.get(path);
  }

  get size(): number {
    return this.#nodes.size;
  }

  nextGeneration(): number {
    return ++this.#generation;
  }

  /** Puts a node in place, or takes it away. Parents are the caller's matter. */
  put(path: Path, node: Node | undefined): void {
    if (node === undefined) this.#nodes.delete(path);
    else this.#nodes.set(path, node);
  }

  /** What each owner would use more, or less, after the changes. */
  usage(changes: Iterable<readonly [Path, Node | undefined]>): Map<number, Usage> {
    const usage = new Map<number, Usage>();
    const count = (path: Path, node: Node | undefined, sign: number): void => {
      if (node === undefined) return;
      const owner = ownerOf(node);
      const of = usage.get(owner) ?? { nodes: 0, memory: 0 };
      usage.set(owner, { nodes: of.nodes + sign, memory: of.memory + sign * memoryOf(path, node) });
    };
    for (const [path, node] of changes) {
      count(path, this.#nodes.get(path), -1);
      count(path, node, 1);
    }
    return usage;
  }

  /** All nodes, in no order that means anything. */
  entries(): Iterable<readonly [Path, Node]> {
    return this.#nodes.entries();
  }

  /** What is wrong with the tree: children without node, nodes without parent, names listed twice. Empty if all is well. */
  check(): string[] {
    const found: string[] = [];
    const reachable = new Set<Path>();
    const walk = (path: Path, node: Node): void => {
      reachable.add(path);
      if (new Set(node.children).size !== node.children.length) found.push(`${path} lists a child twice`);
      for (const leaf of new Set(node.children)) {
        const child = this.#nodes.get(childOf(path, leaf));
        if (child === undefined) found.push(`${childOf(path, leaf)} is listed and missing`);
        else walk(childOf(path, leaf), child);
      }
    };
    for (const [path, node] of this.#nodes) if (path === ROOT || isSpecial(path)) walk(path, node);
    for (const path of this.#nodes.keys()) if (!reachable.has(path)) found.push(`${path} is an orphan`);
    return found;
  }
}
