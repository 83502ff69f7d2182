import { XS } from "xen-public";
import { XsConnection } from "./connection.js";
import { createNodes } from "./nodes.js";
import { bytesToText, packStrings } from "./wire.js";
import { type Xs, XsError, type XsNodes, type XsStream, type XsWatch, type XsWatchOptions } from "./xs-types.js";

/** A client on a byte stream to xenstored. */
export function createXs(stream: XsStream): Xs {
  const listeners = new Map<string, (path: string) => void>();
  const connection = new XsConnection(stream, (path, token) => listeners.get(token)?.(path));
  const send = (type: number, ...strings: readonly (string | number | bigint)[]): Promise<Uint8Array> =>
    connection.request({ type, payload: packStrings(...strings.map(String)) });
  /** The reply's only string. */
  const ask = async (type: number, ...strings: readonly (string | number)[]): Promise<string> => bytesToText(await send(type, ...strings)).replace(/\0$/, "");
  const tell = async (type: number, ...strings: readonly (string | number | bigint)[]): Promise<void> => void (await send(type, ...strings));
  let lastToken = 0;

  const watch = async (path: string, listener: (path: string) => void, { depth }: XsWatchOptions = {}): Promise<XsWatch> => {
    const token = String(++lastToken);
    listeners.set(token, listener);
    try {
      await tell(XS.WATCH, path, token, ...(depth === undefined ? [] : [depth]));
    } catch (error) {
      listeners.delete(token);
      throw error;
    }
    return {
      close: async () => {
        if (listeners.delete(token)) await tell(XS.UNWATCH, path, token);
      },
    };
  };

  return {
    ...createNodes(connection, 0),
    transaction: (body, tries = 1000) => transact(connection, body, tries),
    watch,
    resetWatches: async () => {
      listeners.clear();
      await tell(XS.RESET_WATCHES, "");
    },
    introduceDomain: (domid, gfn, port) => tell(XS.INTRODUCE, domid, gfn, port),
    releaseDomain: (domid) => tell(XS.RELEASE, domid),
    resumeDomain: (domid) => tell(XS.RESUME, domid),
    setTarget: (domid, target) => tell(XS.SET_TARGET, domid, target),
    getDomainPath: (domid) => ask(XS.GET_DOMAIN_PATH, domid),
    isDomainIntroduced: async (domid) => (await ask(XS.IS_DOMAIN_INTRODUCED, domid)) === "T",
    getFeature: async (domid) => Number(await ask(XS.GET_FEATURE, ...(domid === undefined ? [] : [domid]))),
    setFeature: (domid, features) => tell(XS.SET_FEATURE, domid, features),
    quotaNames: async () => (await ask(XS.GET_QUOTA)).split(" "),
    getQuota: async (name, domid) => Number(await ask(XS.GET_QUOTA, ...(domid === undefined ? [] : [domid]), name)),
    setQuota: (name, value, domid) => tell(XS.SET_QUOTA, ...(domid === undefined ? [] : [domid]), name, value),
    control: (command, ...parameters) => ask(XS.CONTROL, command, ...parameters),
    close: () => connection.close(),
    closed: connection.closed,
  };
}

async function transact<T>(connection: XsConnection, body: (nodes: XsNodes) => Promise<T>, tries: number): Promise<T> {
  for (let left = tries; ; left--) {
    const reply = await connection.request({ type: XS.TRANSACTION_START, payload: packStrings("") });
    const txId = Number(bytesToText(reply).replace(/\0$/, ""));
    const end = (how: "T" | "F"): Promise<Uint8Array> => connection.request({ type: XS.TRANSACTION_END, txId, payload: packStrings(how) });
    let isOpen = true;
    try {
      const result = await body(createNodes(connection, txId));
      isOpen = false;
      await end("T");
      return result;
    } catch (error) {
      if (isOpen) await end("F").catch(() => undefined); // What went wrong first is what matters.
      const isConflict = error instanceof XsError && error.code === "EAGAIN";
      if (!isConflict || left <= 1) throw error;
    }
  }
}
