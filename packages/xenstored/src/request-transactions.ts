import { packStrings } from "xenstore";
import { type Answer, OK, onlyString, type Request } from "./request.js";
import { Transaction } from "./transaction.js";

/** TRANSACTION_START: the id of a new transaction. */
export function transactionStart({ connection, core, transaction }: Request): Answer {
  if (transaction !== undefined) return "EBUSY";
  const { account } = connection.domain;
  if (!account.allowsMore("transactions", 1)) return "ENOSPC";
  const id = connection.nextTransactionId();
  connection.transactions.set(id, new Transaction(id, core.store));
  account.add("transactions", 1);
  return packStrings(String(id));
}

/** TRANSACTION_END: commits ("T") or drops ("F"). The transaction ends either way. */
export function transactionEnd(request: Request): Answer {
  const { connection, core, transaction } = request;
  const how = onlyString(request);
  if (how !== "T" && how !== "F") return "EINVAL";
  if (transaction === undefined) return "ENOENT";
  connection.endTransaction(transaction);
  if (how === "F") return OK;
  if (transaction.isInConflict(core.store)) return "EAGAIN";
  return core.commit(connection, transaction.view) ?? OK;
}
