/** What an entry allows: nothing, reading, writing, both (docs/misc/xenstore.txt, GET_PERMS). */
export type XsAccess = "n" | "r" | "w" | "b";

/**
 * One entry of a node's permissions. The first names the owner, who may do everything, and what domains without an entry may do; the
 * others name a domain and what it may do.
 */
export interface XsPermission {
  readonly access: XsAccess;
  readonly domid: number;
}

/** An entry as it travels: "r3". */
export function formatPermission({ access, domid }: XsPermission): string {
  return `${access}${domid}`;
}

/** The entry that a text stands for; undefined if it stands for none. */
export function parsePermission(text: string): XsPermission | undefined {
  const [, access, digits] = /^([nrwb])(\d{1,5})$/.exec(text) ?? [];
  const domid = Number(digits);
  return access === undefined || domid > 0xffff ? undefined : { access: access as XsAccess, domid };
}
