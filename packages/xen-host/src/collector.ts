/** Milliseconds behind a domain's parking until what it left on the heap is collected: nobody waits then. */
export const AFTER_PARKING = 500;
/** The same behind another change of a domain: a guest that has just been created boots meanwhile, and would stand still for it. */
export const AFTER_CHANGE = 10_000;

/** Gives a function to call when domains change: a while later it collects this thread's garbage. Needs node's --expose-gc, else it does nothing. */
export function createCollector(after: number): () => void {
  let timer: NodeJS.Timeout | undefined;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(() => globalThis.gc?.(), after).unref();
  };
}
