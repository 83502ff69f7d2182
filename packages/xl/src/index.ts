export { main } from "./xl.js";

/** The command xenperf: takes the arguments behind its name, resolves to the exit code. */
export async function xenperf(argv: readonly string[]): Promise<number> {
  // Loaded late, so that xl starts fast.
  return (await import("./xenperf.js")).xenperf(argv);
}
