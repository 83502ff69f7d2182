import { DOMID } from "xen-public";
import type { NodePermission } from "./node.js";

/** Who asks. */
export interface Subject {
  readonly domid: number;
  readonly isPrivileged: boolean;
  /** The domain that it may act for (SET_TARGET). */
  readonly target: number | undefined;
}

/** What a subject may do with a node. */
export interface Rights {
  readonly read: boolean;
  readonly write: boolean;
  /** May set the permissions. */
  readonly own: boolean;
}

/** A right by name. */
export type Right = keyof Rights;

const ALL: Rights = { read: true, write: true, own: true };
const GRANTS: Record<NodePermission["access"], Rights> = {
  n: { read: false, write: false, own: false },
  r: { read: true, write: false, own: false },
  w: { read: false, write: true, own: false },
  b: { read: true, write: true, own: false },
};

/** The owner and the privileged may do all; others what the first entry for them says, or, without one, the first of all. */
export function rightsOf(subject: Subject, permissions: readonly NodePermission[]): Rights {
  const [owner, ...others] = permissions as readonly [NodePermission, ...NodePermission[]];
  if (subject.isPrivileged || matches(subject, owner)) return ALL;
  const own = others.find((entry) => entry.isIgnored !== true && matches(subject, entry));
  return GRANTS[(own ?? owner).access];
}

/** An entry is for a subject if it names it, its target, or everybody (DOMID_ANY). */
function matches({ domid, target }: Subject, entry: NodePermission): boolean {
  return entry.domid === domid || entry.domid === target || entry.domid === DOMID.ANY;
}
