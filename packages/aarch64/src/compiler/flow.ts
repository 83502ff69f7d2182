/** A flow graph in reverse postorder: node 0 is the entry. Edges are node numbers. */
export interface Flow {
  /** Successors of each node that stay inside. */
  readonly successors: readonly (readonly number[])[];
  /** Immediate dominator of each node; the entry's is itself. */
  readonly dominator: readonly number[];
  /** Nodes that a node dominates immediately, ascending. */
  readonly children: readonly (readonly number[])[];
  /** Targets of backward edges from nodes they dominate. */
  readonly isLoopHeader: readonly boolean[];
  /** Nodes with more than one forward edge into them. */
  readonly isMerge: readonly boolean[];
  /** True if the edge can be emitted with structured control: forward, or back to a dominator. */
  isStructured(from: number, to: number): boolean;
}

/** Order of a depth-first walk's ends, reversed. Only reachable nodes are in it. */
export function reversePostorder(count: number, successors: (node: number) => readonly number[]): number[] {
  const order: number[] = [];
  const seen = new Array<boolean>(count).fill(false);
  const stack: { node: number; next: number }[] = [{ node: 0, next: 0 }];
  seen[0] = true;
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const next = successors(top.node)[top.next++];
    if (next === undefined) {
      order.push(top.node);
      stack.pop();
    } else if (!seen[next]) {
      seen[next] = true;
      stack.push({ node: next, next: 0 });
    }
  }
  return order.reverse();
}

/** Analyses a graph whose nodes are numbered in reverse postorder (dominators after Cooper, Harvey and Kennedy). */
export function analyse(successors: readonly (readonly number[])[]): Flow {
  const count = successors.length;
  const predecessors: number[][] = Array.from({ length: count }, () => []);
  for (const [from, to] of successors.entries()) for (const t of to) predecessors[t]?.push(from);
  const dominator = new Array<number>(count).fill(-1);
  dominator[0] = 0;
  const meet = (a: number, b: number): number => {
    while (a !== b) {
      while (a > b) a = dominator[a] ?? 0;
      while (b > a) b = dominator[b] ?? 0;
    }
    return a;
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (let node = 1; node < count; node++) {
      let idom = -1;
      for (const p of predecessors[node] ?? []) if ((dominator[p] ?? -1) >= 0) idom = idom < 0 ? p : meet(p, idom);
      if (dominator[node] !== idom) {
        dominator[node] = idom;
        changed = true;
      }
    }
  }
  const dominates = (a: number, b: number): boolean => {
    let node = b;
    while (node > a) node = dominator[node] ?? 0;
    return node === a;
  };
  const isStructured = (from: number, to: number): boolean => to > from || dominates(to, from);
  const children: number[][] = Array.from({ length: count }, () => []);
  for (let node = 1; node < count; node++) children[dominator[node] ?? 0]?.push(node);
  const isLoopHeader = predecessors.map((ps, node) => ps.some((p) => p >= node && isStructured(p, node)));
  const isMerge = predecessors.map((ps, node) => ps.filter((p) => p < node).length > 1);
  return { successors, dominator, children, isLoopHeader, isMerge, isStructured };
}
