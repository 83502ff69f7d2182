import { createClientStream } from "./client.js";
import { Core } from "./core.js";
import { checkDomains, introduceDomain } from "./lifecycle.js";
import type { Xenstored, XenstoredOptions } from "./xenstored-types.js";

/** Builds a store daemon with an empty store. */
export function createXenstored(options: XenstoredOptions): Xenstored {
  const core = new Core(options);
  return {
    connect: ({ domid, transport }) => core.connect(domid, transport),
    connectClient: (domid = 0) => createClientStream((transport) => core.connect(domid, transport)),
    ringEvent: (domid) => core.run(() => core.domains.get(domid)?.introduced?.ring.poll()),
    introduce(domid, gfn, port) {
      let isDone = false;
      core.run(() => (isDone = introduceDomain(core, domid, { gfn, port }) === undefined));
      return isDone;
    },
    domainsChanged: () => core.run(() => checkDomains(core)),
    check: () => core.check(),
    close: () => core.run(() => core.connections().forEach((connection) => connection.closeNow())),
  };
}
