import { LibxlError } from "./include/libxl.js";
import type { Ctx } from "./libxl_internal.js";
import { xsRead } from "./libxl_xshelp.js";

/** What a wait for a guest came to: it did it, it has shut down or is gone meanwhile, or neither in the time that it had. */
export type XswaitOutcome = "done" | "ended" | "silent";

/** Options of `xswait`. */
export interface XswaitOptions {
  readonly domid: number;
  /** The node to watch. */
  readonly path: string;
  /** True for the value that is waited for; null stands for no node. */
  readonly isDone: (value: string | null) => boolean;
  /** True when nothing more will come of the domain. Asked at once, and at each change of any domain. */
  readonly hasEnded: () => Promise<boolean>;
}

/** Watches a node that the guest is to change (libxl__xswait), for as long as guests have to answer. */
export async function xswait(ctx: Ctx, { domid, path, isDone, hasEnded }: XswaitOptions): Promise<XswaitOutcome> {
  const xs = await ctx.xs();
  const ends: (() => unknown)[] = [];
  try {
    const outcome = new Promise<XswaitOutcome>((resolve, reject) => {
      const look = async (): Promise<void> => {
        if (isDone(await xsRead(ctx, path, domid))) resolve("done");
      };
      const ask = (): void => void hasEnded().then((ended) => ended && resolve("ended"), reject);
      const watch = xs.watch(path, () => void look().catch(reject));
      watch.catch(reject);
      ends.push(() => watch.then((set) => set.close()).catch(() => undefined), ctx.ctrl.onDomainChange(ask));
      // What happened before anybody listened is told by nobody.
      ask();
      void xs.closed.then(() => reject(new LibxlError("FAIL", `the connection to xenstored was lost while ${path} was watched`, { domid })));
    });
    return (await ctx.within(outcome, ctx.guestTimeout)) ? await outcome : "silent";
  } finally {
    await Promise.all(ends.map((end) => end()));
  }
}
