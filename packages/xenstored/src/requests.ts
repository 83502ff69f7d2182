import { XS } from "xen-public";
import { control } from "./control.js";
import type { Handler } from "./request.js";
import * as domains from "./request-domains.js";
import * as nodes from "./request-nodes.js";
import { transactionEnd, transactionStart } from "./request-transactions.js";
import { resetWatches, unwatch, watch } from "./request-watches.js";

/** One type of message that clients may send. */
export interface RequestType {
  readonly run: Handler;
  /** Only Dom0 may send it; others get EACCES. */
  readonly isPrivileged?: true;
  /** Its tx_id means nothing, not even an error. */
  readonly ignoresTransaction?: true;
}

/** All of them by type. What is not here gets ENOSYS. */
export const REQUESTS: Readonly<Record<number, RequestType>> = {
  [XS.CONTROL]: { run: control, isPrivileged: true },
  [XS.DIRECTORY]: { run: nodes.directory },
  [XS.READ]: { run: nodes.read },
  [XS.GET_PERMS]: { run: nodes.getPerms },
  [XS.WATCH]: { run: watch, ignoresTransaction: true },
  [XS.UNWATCH]: { run: unwatch, ignoresTransaction: true },
  [XS.TRANSACTION_START]: { run: transactionStart },
  [XS.TRANSACTION_END]: { run: transactionEnd },
  [XS.INTRODUCE]: { run: domains.introduce, isPrivileged: true },
  [XS.RELEASE]: { run: domains.release, isPrivileged: true },
  [XS.GET_DOMAIN_PATH]: { run: domains.getDomainPath },
  [XS.WRITE]: { run: nodes.write },
  [XS.MKDIR]: { run: nodes.mkdir },
  [XS.RM]: { run: nodes.rm },
  [XS.SET_PERMS]: { run: nodes.setPerms },
  [XS.IS_DOMAIN_INTRODUCED]: { run: domains.isDomainIntroduced, isPrivileged: true },
  [XS.RESUME]: { run: domains.resume, isPrivileged: true },
  [XS.SET_TARGET]: { run: domains.setTarget, isPrivileged: true },
  [XS.RESET_WATCHES]: { run: resetWatches },
  [XS.DIRECTORY_PART]: { run: nodes.directoryPart },
  [XS.GET_FEATURE]: { run: domains.getFeature },
  [XS.SET_FEATURE]: { run: domains.setFeature, isPrivileged: true },
  [XS.GET_QUOTA]: { run: domains.getQuota, isPrivileged: true },
  [XS.SET_QUOTA]: { run: domains.setQuota, isPrivileged: true },
};
