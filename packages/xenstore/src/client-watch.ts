import { type ClientContext, ClientError } from "./client-types.js";

/** xenstore-watch: a line for each event, until as many as -n says have come. */
export async function watch({ xs, operands, options, out }: ClientContext): Promise<number> {
  const depth = options.has("d") ? atoi(options.get("d")) : -1;
  const limit = options.has("n") ? atoi(options.get("n")) : -1;
  let count = 0;
  let finish = (): void => undefined;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const onEvent = (path: string): void => {
    if (limit >= 0 && count >= limit) return;
    out(`${path}\n`);
    if (++count === limit) finish();
  };
  for (const path of operands) {
    try {
      await xs.watch(path, onEvent, depth < 0 ? {} : { depth });
    } catch (error) {
      throw new ClientError(`Unable to add watch on ${path}${depth < 0 ? "" : ` with depth ${depth}`}\n`, { cause: error });
    }
  }
  if (limit === 0) return 0;
  const isFinished = await Promise.race([finished.then(() => true), xs.closed.then(() => false)]);
  if (!isFinished) throw new ClientError("the connection to xenstored has ended");
  return 0;
}

/** The number at the beginning of a text; 0 if there is none. */
function atoi(text: string | undefined): number {
  return Number.parseInt(text ?? "", 10) || 0;
}
