/** Names and configuration beside the hypervisor until there is a xenstore: a tree of values by absolute path. */
export interface Store {
  /** Applies all entries or none; `null` removes the node and what is below it. Returns false for a path that is not absolute. */
  write(entries: Readonly<Record<string, string | null>>): boolean;
  read(path: string): string | null;
  /** Names of the children, sorted. */
  list(path: string): string[];
}

/** Builds an empty tree. A node exists where it has a value or something below it. */
export function createStore(): Store {
  const nodes = new Map<string, string>();
  const isPath = (path: string): boolean => /^(\/[^/\0]+)+$/.test(path);
  return {
    write(entries) {
      if (!Object.keys(entries).every(isPath)) return false;
      for (const [path, value] of Object.entries(entries)) {
        if (value !== null) nodes.set(path, value);
        else for (const key of nodes.keys()) if (key === path || key.startsWith(`${path}/`)) nodes.delete(key);
      }
      return true;
    },
    read: (path) => nodes.get(path) ?? null,
    list(path) {
      const prefix = path === "/" ? "/" : `${path}/`;
      const names = new Set<string>();
      for (const key of nodes.keys()) if (key.startsWith(prefix)) names.add(key.slice(prefix.length).split("/", 1)[0] as string);
      return [...names].toSorted();
    },
  };
}
