/** Milliseconds behind a domain's creation, suspension, parking or end until what it left on the heap is collected: nobody waits then. */
const COLLECT_AFTER = 500;

/** Gives a function to call when domains change: a while later it collects this thread's garbage. Needs node's --expose-gc, else it does nothing. */
export function createCollector(): () => void {
  let timer: NodeJS.Timeout | undefined;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(() => globalThis.gc?.(), COLLECT_AFTER).unref();
  };
}
