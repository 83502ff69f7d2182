import { type ConsoleStream, createRpc, type RpcChannel, type XenCtrl, XENCTRL_METHODS, XenCtrlError, type XenCtrlEvents, type XenCtrlRpc } from "libxl";

/** Options of `serveXenCtrl`. */
export interface ServeOptions {
  /** Throws `XenCtrlError` for arguments that must not reach the hypervisor. */
  readonly check?: (method: keyof XenCtrlRpc, args: unknown[]) => void;
  /** Told to stop and go on reading, so that a client cannot pile up calls. */
  readonly flow?: (isOpen: boolean) => void;
}

/** Calls in the air per client above which no more are read. */
const MAX_PENDING = 64;
const MAX_STREAMS = 64;
const EEXIST = 17;
const ENOSPC = 28;
const EBADF = 9;
const ENOSYS = 38;

/** Answers a client's calls on a channel until it is gone; whatever the client had open is closed then. */
export function serveXenCtrl(xenctrl: XenCtrl, channel: RpcChannel, options: ServeOptions = {}): void {
  const streams = new Map<number, ConsoleStream | undefined>();
  let isOpen = true;
  let pending = 0;

  const guarded = (method: keyof XenCtrlRpc, call: (...args: never[]) => Promise<unknown>): ((...args: never[]) => Promise<unknown>) => {
    return async (...args) => {
      if (++pending === MAX_PENDING) options.flow?.(false);
      try {
        options.check?.(method, args);
        return await call(...args);
      } finally {
        if (pending-- === MAX_PENDING) options.flow?.(true);
      }
    };
  };
  const stream = (operation: string, id: number): ConsoleStream => {
    const found = streams.get(id);
    if (found === undefined) throw new XenCtrlError(operation, EBADF, `no console stream ${id}`);
    return found;
  };
  async function openConsole(id: number, domid: number, type: "pv" | "vuart", num: number): Promise<void> {
    if (streams.has(id)) throw new XenCtrlError("openConsole", EEXIST, `stream ${id} is open`);
    if (streams.size >= MAX_STREAMS) throw new XenCtrlError("openConsole", ENOSPC, `${MAX_STREAMS} streams are open`);
    streams.set(id, undefined);
    try {
      const opened = await xenctrl.openConsole(domid, type, num);
      streams.set(id, opened);
      if (!isOpen) return opened.close();
      opened.onOutput((bytes) => channel.sendConsole(id, bytes));
      void opened.closed.then(() => {
        streams.delete(id);
        if (isOpen) rpc.consoleClosed.asEvent(id).catch(() => undefined);
      });
    } catch (error) {
      streams.delete(id);
      throw error;
    }
  }

  const functions = Object.create(null) as Record<string, (...args: never[]) => Promise<unknown>>;
  const unknown = async (): Promise<never> => {
    throw new XenCtrlError("call", ENOSYS);
  };
  for (const name of XENCTRL_METHODS) functions[name] = guarded(name, (xenctrl[name] ?? unknown).bind(xenctrl) as (...args: never[]) => Promise<unknown>);
  functions["openConsole"] = guarded("openConsole", openConsole);
  functions["writeConsole"] = guarded("writeConsole", async (id: number, bytes: Uint8Array) => stream("writeConsole", id).write(bytes));
  functions["closeConsole"] = guarded("closeConsole", async (id: number) => stream("closeConsole", id).close());

  const rpc = createRpc<XenCtrlEvents, typeof functions>(channel, functions);
  const unsubscribe = xenctrl.onDomainChange(() => void rpc.domainChanged.asEvent().catch(() => undefined));
  void channel.closed.then(() => {
    isOpen = false;
    unsubscribe();
    for (const opened of streams.values()) opened?.close();
  });
}
