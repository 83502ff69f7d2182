/**
 * The quotas by xenstored's names: default, whether it limits or only warns ("soft"), and what it counts. A quota of N allows N; 0 switches it
 * off. The privileged have none.
 */
export const XS_QUOTAS = {
  nodes: { value: 1000, description: "Nodes per domain" },
  watches: { value: 128, description: "Watches per domain" },
  outstanding: { value: 20, description: "Outstanding requests per domain" },
  memory: { value: 2_621_440, description: "Total Xenstore memory per domain" },
  "soft-memory": { value: 2_097_152, description: "Total Xenstore memory per domain" },
  transactions: { value: 10, description: "Active transactions per domain" },
  "transaction-nodes": { value: 1024, description: "Max. number of accessed nodes per transaction" },
  "node-permissions": { value: 5, description: "Max. number of permissions per node" },
  "path-max": { value: 2048, description: "Max. length of a node path" },
  "node-size": { value: 2048, description: "Max. size of a node" },
} as const;

/** The name of a quota. */
export type XsQuotaName = keyof typeof XS_QUOTAS;
/** What is counted: the hard quotas. */
export type XsQuotaItem = Exclude<XsQuotaName, `soft-${string}`>;
/** A value for each quota. */
export type XsQuotaValues = Record<XsQuotaName, number>;

/** All names, in the order in which they are shown. */
export const QUOTA_NAMES: readonly XsQuotaName[] = Object.keys(XS_QUOTAS) as XsQuotaName[];
/** The names of what is counted, in the same order. */
export const QUOTA_ITEMS: readonly XsQuotaItem[] = QUOTA_NAMES.filter((name): name is XsQuotaItem => !name.startsWith("soft-"));

/** True for the name of a quota. */
export function isQuotaName(name: string): name is XsQuotaName {
  return Object.hasOwn(XS_QUOTAS, name);
}

/** The default values with some of them replaced. */
export function quotaValues(changes: Readonly<Partial<XsQuotaValues>> = {}): XsQuotaValues {
  return { ...(Object.fromEntries(QUOTA_NAMES.map((name) => [name, XS_QUOTAS[name].value])) as XsQuotaValues), ...changes };
}

/** What a domain uses, against its quotas. */
export class Account {
  readonly isPrivileged: boolean;
  /** The domain's own quotas. */
  readonly quotas: XsQuotaValues;
  readonly #used: Map<XsQuotaItem, number> = new Map();
  readonly #most: Map<XsQuotaItem, number> = new Map();

  constructor(isPrivileged: boolean, quotas: Readonly<XsQuotaValues>) {
    this.isPrivileged = isPrivileged;
    this.quotas = { ...quotas };
  }

  used(item: XsQuotaItem): number {
    return this.#used.get(item) ?? 0;
  }

  /** The highest value since the last `resetMost`. */
  most(item: XsQuotaItem): number {
    return this.#most.get(item) ?? 0;
  }

  resetMost(): void {
    for (const item of QUOTA_ITEMS) this.#most.set(item, this.used(item));
  }

  /** Counts without asking. */
  add(item: XsQuotaItem, count: number): void {
    this.#used.set(item, this.used(item) + count);
    this.see(item, this.used(item));
  }

  /** Remembers a value that is not a sum, such as the size of a node. */
  see(item: XsQuotaItem, value: number): void {
    if (value > this.most(item)) this.#most.set(item, value);
  }

  /** True if the quota allows a total of `value`. */
  allows(item: XsQuotaItem, value: number): boolean {
    const quota = this.quotas[item];
    return this.isPrivileged || quota === 0 || value <= quota;
  }

  /** True if the quota allows `count` more. What grows nothing is always allowed. */
  allowsMore(item: XsQuotaItem, count: number): boolean {
    return count <= 0 || this.allows(item, this.used(item) + count);
  }
}
