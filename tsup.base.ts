import { defineConfig } from "tsup";

/** The build of one package: ESM from `src/index.ts`; the declarations come from `tsc -b`. */
export function library(platform: "node" | "neutral", entry: string[] = ["src/index.ts"]): ReturnType<typeof defineConfig> {
  return defineConfig({ entry, format: "esm", platform, target: "es2023", clean: true, sourcemap: true, silent: true });
}
