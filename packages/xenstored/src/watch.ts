import type { Node, NodeSource } from "./node.js";
import { type Path, parentOf, selfAndAncestors } from "./path.js";
import { rightsOf, type Subject } from "./permission.js";
import type { Change } from "./view.js";

/** Where the events of a watch go. */
export interface Watcher extends Subject {
  /** A change at `path`, in the watcher's own spelling. */
  sendEvent(path: string, token: string): void;
}

/** A watch that is set. */
export interface Watch {
  readonly watcher: Watcher;
  readonly path: Path;
  readonly token: string;
  /** Levels below the path that count; Infinity for all. */
  readonly depth: number;
  /** Characters of the path that the watcher did not spell: its base, where it gave a relative path. */
  readonly prefix: number;
}

/** All watches, by path. */
export class Watches {
  readonly #byPath: Map<Path, Set<Watch>> = new Map();

  add(watch: Watch): void {
    const here = this.#byPath.get(watch.path);
    if (here === undefined) this.#byPath.set(watch.path, new Set([watch]));
    else here.add(watch);
  }

  delete(watch: Watch): void {
    const here = this.#byPath.get(watch.path);
    here?.delete(watch);
    if (here?.size === 0) this.#byPath.delete(watch.path);
  }

  /** The watch of `watcher` with this path and token. */
  find(watcher: Watcher, path: Path, token: string): Watch | undefined {
    return this.#at(path).find((watch) => watch.watcher === watcher && watch.token === token);
  }

  /** Tells those who may know of a change that has been made. */
  fire(path: Path, { isSubtree, permissions }: Change, nodes: NodeSource): void {
    let level = 0;
    for (const at of selfAndAncestors(path)) {
      for (const watch of this.#at(at)) if (level <= watch.depth && maySee(watch.watcher, path, permissions, nodes)) send(watch, path);
      if (!isSubtree) return;
      level++;
    }
  }

  /** Tells of "@introduceDomain" or "@releaseDomain" to those who watch without depth. */
  fireSpecial(name: Path, nodes: NodeSource): void {
    for (const watch of this.#at(name)) if (watch.depth === Infinity && maySeeSpecial(watch.watcher, nodes.get(name))) send(watch, name);
  }

  /** The same with the domain: for watches of "<name>/<domid>", and for those of the name with a depth of 1 and more. */
  fireSpecialOf(name: Path, domid: number, nodes: NodeSource): void {
    const path = `${name}/${domid}` as Path;
    const withDepth = this.#at(name).filter(({ depth }) => depth > 0 && depth !== Infinity);
    for (const watch of [...this.#at(path), ...withDepth]) if (maySeeSpecial(watch.watcher, nodes.get(name))) send(watch, path);
  }

  /** A copy, since a watcher may be dropped by what it is sent. */
  #at(path: Path): Watch[] {
    return [...(this.#byPath.get(path) ?? [])];
  }
}

/** Sends the event that each watch gets when it is set. */
export function sendFirst(watch: Watch): void {
  send(watch, watch.path);
}

function send({ watcher, token, prefix }: Watch, path: Path): void {
  watcher.sendEvent(path.slice(prefix), token);
}

/** A change may be seen by who can read the node, could read it before, or can read its parent. */
function maySee(watcher: Watcher, path: Path, before: Change["permissions"], nodes: NodeSource): boolean {
  if (watcher.isPrivileged) return true;
  const candidates = [before, nodes.get(path)?.permissions, nodes.get(parentOf(path))?.permissions];
  return candidates.some((permissions) => permissions !== undefined && rightsOf(watcher, permissions).read);
}

function maySeeSpecial(watcher: Watcher, node: Node | undefined): boolean {
  return node !== undefined && rightsOf(watcher, node.permissions).read;
}
