import { XENSTORE_ABS_PATH_MAX } from "xen-public";

/** An absolute path that is well formed, or the name of a special node ("@releaseDomain"). */
export type Path = string & { readonly brand: "xenstore path" };

/** The root of the store. */
export const ROOT: Path = "/" as Path;

/** The base of a domain's relative paths. */
export function domainPath(domid: number): Path {
  return `/local/domain/${domid}` as Path;
}

/** What `canonicalize` needs to know. */
export interface PathRules {
  /** Base of relative paths: the domain's own path. */
  readonly base: string;
  /** Most bytes below /local/domain/<domid>/; Infinity for the privileged. */
  readonly maxLength: number;
  /** Takes names that begin with "@". */
  readonly allowSpecial?: boolean;
}

/** The path that a client's text stands for; undefined where docs/misc/xenstore.txt forbids it. */
export function canonicalize(text: string, { base, maxLength, allowSpecial = false }: PathRules): Path | undefined {
  if (!/^[-/\w@]*$/.test(text)) return undefined;
  if (text.startsWith("@") && !allowSpecial) return undefined;
  const path = /^[/@]/.test(text) ? text : `${base}/${text}`;
  if (path.includes("//") || (path.endsWith("/") && path !== "/")) return undefined;
  if (path.length > XENSTORE_ABS_PATH_MAX) return undefined;
  const own = /^\/local\/domain\/\d{1,5}\//.exec(path)?.[0].length ?? 0;
  return path.length - own > maxLength ? undefined : (path as Path);
}

/** True for "@releaseDomain" and its like, which have no parent. */
export function isSpecial(path: Path): boolean {
  return path.startsWith("@");
}

/** The node above. The root's parent is the root; so is that of special nodes, as far as permissions go. */
export function parentOf(path: Path): Path {
  const slash = path.lastIndexOf("/");
  return isSpecial(path) || slash <= 0 ? ROOT : (path.slice(0, slash) as Path);
}

/** The last part of a path. */
export function leafOf(path: Path): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** A child's path. */
export function childOf(path: Path, leaf: string): Path {
  return (path === ROOT ? `/${leaf}` : `${path}/${leaf}`) as Path;
}

/** The path itself and all above it, nearest first, down to the root. A special name with "/" in it ends at the name before the first one. */
export function* selfAndAncestors(path: Path): Generator<Path> {
  for (let at: Path = path; ; ) {
    yield at;
    const slash = at.lastIndexOf("/");
    if (at === ROOT || slash < 0) return;
    at = (slash === 0 ? "/" : at.slice(0, slash)) as Path;
  }
}
