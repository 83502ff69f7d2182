import { ownerOf } from "./node.js";
import { isSpecial, parentOf, type Path } from "./path.js";
import type { NodeStore } from "./store.js";
import { View } from "./view.js";

/**
 * The changes that leave nothing of a domain that is gone: its nodes go, with all below them, and its entries in the permissions of others.
 * Special nodes stay, and become Dom0's.
 */
export function withoutDomain(store: NodeStore, domid: number): View {
  const view = new View(store);
  const isOwned = (path: Path): boolean => {
    const node = store.get(path);
    return node !== undefined && ownerOf(node) === domid;
  };
  for (const [path, { permissions }] of store.entries()) {
    if (isOwned(path) && !isSpecial(path)) {
      // Below another one of its nodes it goes with that one.
      if (!isOwned(parentOf(path)) && view.get(path) !== undefined) view.remove(path);
    } else if (permissions.some((entry) => entry.domid === domid) && view.get(path) !== undefined) {
      const [owner, ...others] = permissions;
      const first = owner === undefined || owner.domid === domid ? { access: "n" as const, domid: 0 } : owner;
      view.adjust(path, { permissions: [first, ...others.filter((entry) => entry.domid !== domid)] });
    }
  }
  return view;
}
