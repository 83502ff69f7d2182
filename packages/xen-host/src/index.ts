/** The command: takes the arguments behind its name, resolves to the exit code. */
export async function main(_argv: readonly string[]): Promise<number> {
  return 1;
}
