import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The `xl` command's file, as `npx xl` runs it. */
export const xlPath: string = fileURLToPath(new URL("../../packages/xl/bin/xl.js", import.meta.url));

/** How an `xl` command ended. */
export interface XlResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Wall time of the whole command, in milliseconds. */
  readonly milliseconds: number;
}

/** Runs `xl` as a child process and waits for it. Environment variables are added to ours. */
export async function xl(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<XlResult> {
  const start = performance.now();
  const child = spawn(process.execPath, [xlPath, ...args], { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    // Not "close": a daemon that the command left behind may hold the pipes.
    child.on("exit", (code, signal) => {
      const milliseconds = performance.now() - start;
      setImmediate(() => resolve({ code: code ?? (signal === null ? 1 : 128), stdout, stderr, milliseconds }));
    });
  });
}

/** As `xl`, but a command that fails throws, with what it said. */
export async function xlOk(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<XlResult> {
  const result = await xl(args, env);
  if (result.code !== 0) throw new Error(`xl ${args.join(" ")} ended with ${result.code}: ${(result.stderr || result.stdout).trim()}`);
  return result;
}
