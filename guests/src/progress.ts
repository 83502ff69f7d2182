/** Shows a person what is going on. */
export interface Progress {
  /** Runs `work` under a title: a live line with the seconds on a terminal, plain lines without one. */
  step<T>(title: string, work: () => Promise<T>): Promise<T>;
}

/** Milliseconds between plain lines while a step runs without a terminal. */
const PLAIN_INTERVAL = 10_000;

/** Progress on a stream, standard error by default. */
export function createProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  return {
    async step(title, work) {
      const start = performance.now();
      const seconds = (): string => `${((performance.now() - start) / 1000).toFixed(1)} s`;
      const live = stream.isTTY === true;
      const show = (mark: string, end: string): boolean =>
        stream.write(live ? `\r\x1b[K${mark} ${title} (${seconds()})${end}` : `${mark} ${title} (${seconds()})\n`);
      const timer = setInterval(() => show("…", ""), live ? 200 : PLAIN_INTERVAL);
      if (!live) stream.write(`… ${title}\n`);
      try {
        const result = await work();
        show("✓", "\n");
        return result;
      } catch (error) {
        show("✗", "\n");
        throw error;
      } finally {
        clearInterval(timer);
      }
    },
  };
}
