import { XENSTORE_SERVER_FEATURE } from "xen-public";
import { type Answer, OK, parseUnsigned, pathOf, type Request } from "./request.js";
import { sendFirst } from "./watch.js";

/** WATCH: sets a watch, which fires once behind the reply. */
export function watch(request: Request): Answer {
  const { connection, core, strings } = request;
  const [text = "", token = "", depthText] = strings;
  const takesDepth = (connection.domain.features & XENSTORE_SERVER_FEATURE.WATCHDEPTH) !== 0;
  if (strings.length !== 2 && !(strings.length === 3 && takesDepth)) return "EINVAL";
  const depth = depthText === undefined ? Infinity : parseUnsigned(depthText);
  if (depth === undefined) return "EINVAL";
  const path = pathOf(request, text, true);
  if (path === undefined) return "EINVAL";
  if (core.watches.find(connection, path, token) !== undefined) return "EEXIST";
  const { account } = connection.domain;
  if (!account.allowsMore("watches", 1)) return "ENOSPC";
  if (!account.allowsMore("memory", path.length + token.length)) return "ENOMEM";
  const prefix = /^[/@]/.test(text) ? 0 : connection.base.length + 1;
  const set = { watcher: connection, path, token, depth, prefix };
  connection.addWatch(set);
  request.afterReply(() => sendFirst(set));
  return OK;
}

/** UNWATCH: takes a watch away. */
export function unwatch(request: Request): Answer {
  const { connection, core, strings } = request;
  if (strings.length !== 2) return "EINVAL";
  const path = pathOf(request, strings[0], true);
  if (path === undefined) return "EINVAL";
  const found = core.watches.find(connection, path, strings[1] as string);
  if (found === undefined) return "ENOENT";
  connection.dropWatch(found);
  return OK;
}

/** RESET_WATCHES: takes all watches and transactions of the connection away. */
export function resetWatches({ connection }: Request): Answer {
  connection.dropAll();
  return OK;
}
