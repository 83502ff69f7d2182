import type { XsErrorCode } from "xenstore";
import type { Domain, Domains } from "./domain.js";
import { type Node, sizeOf } from "./node.js";
import type { Path } from "./path.js";
import type { NodeStore } from "./store.js";
import type { View } from "./view.js";

/** Nodes by path; undefined for one that is removed. */
export type Changes = ReadonlyMap<Path, Node | undefined>;

/** What stands against a domain's changes. `pending` are those that are in a transaction already. */
export function refuse(domain: Domain, store: NodeStore, view: View, pending: Changes = new Map()): XsErrorCode | undefined {
  const { account, domid } = domain;
  if (account.isPrivileged) return undefined;
  for (const [path, node] of view.changed) if (node !== undefined && isTooBig(domain, node, view.seen.get(path))) return "ENOSPC";
  const usage = store.usage(new Map([...pending, ...view.changed])).get(domid);
  if (usage === undefined) return undefined;
  if (!account.allowsMore("nodes", usage.nodes)) return "ENOSPC";
  return account.allowsMore("memory", usage.memory) ? undefined : "ENOMEM";
}

/** A node may always shrink, even if it stays too big. */
function isTooBig({ account }: Domain, node: Node, before: Node | undefined): boolean {
  const size = sizeOf(node);
  account.see("node-size", size);
  return !account.allows("node-size", size) && size > (before === undefined ? 0 : sizeOf(before));
}

/** Books what the owners will use more, or less, when the changes are made. */
export function book(domains: Domains, store: NodeStore, changes: Changes): void {
  for (const [domid, usage] of store.usage(changes)) {
    const account = domains.get(domid)?.account;
    account?.add("nodes", usage.nodes);
    account?.add("memory", usage.memory);
  }
}

/** Domains whose count of nodes is not what the store holds, in words. */
export function checkAccounts(domains: Domains, store: NodeStore): string[] {
  const found = new Map<number, number>();
  for (const [, { permissions }] of store.entries()) {
    const owner = permissions[0]?.domid ?? -1;
    found.set(owner, (found.get(owner) ?? 0) + 1);
  }
  return domains.all().flatMap(({ domid, account }) => {
    const nodes = found.get(domid) ?? 0;
    return nodes === account.used("nodes") ? [] : [`domain ${domid} owns ${nodes} nodes and is charged for ${account.used("nodes")}`];
  });
}
