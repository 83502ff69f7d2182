import { DOMID } from "xen-public";
import type { NodePermission } from "./node.js";
import { isSpecial, leafOf, parentOf, type Path, ROOT } from "./path.js";
import type { NodeStore } from "./store.js";

/** Fired when a domain is introduced. For Dom0's eyes until SET_PERMS says otherwise. */
export const INTRODUCE_DOMAIN: Path = "@introduceDomain" as Path;
/** Fired when a domain shuts down, dies or is released. For all eyes. */
export const RELEASE_DOMAIN: Path = "@releaseDomain" as Path;

const OWNER: NodePermission = { access: "n", domid: 0 };

/** The nodes that there are from the beginning, parents first. */
const INITIAL_NODES: readonly (readonly [Path, readonly NodePermission[]])[] = [
  [ROOT, [OWNER]],
  ["/tool" as Path, [OWNER]],
  ["/tool/xenstored" as Path, [OWNER]],
  [INTRODUCE_DOMAIN, [OWNER]],
  [RELEASE_DOMAIN, [OWNER, { access: "r", domid: DOMID.ANY }]],
];

/** Fills an empty store. */
export function setUpNodes(store: NodeStore): void {
  for (const [path, permissions] of INITIAL_NODES) {
    const children = INITIAL_NODES.map(([other]) => other).filter((other) => !isSpecial(other) && other !== ROOT && parentOf(other) === path);
    const leaves = isSpecial(path) ? [] : children.map(leafOf);
    const childBytes = leaves.reduce((sum, leaf) => sum + leaf.length + 1, 0);
    store.put(path, { value: new Uint8Array(0), permissions, children: leaves, childBytes, generation: store.nextGeneration() });
  }
}
