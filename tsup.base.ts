import { defineConfig, type Options } from "tsup";

/** The build of one package: ESM from `src/index.ts`; the declarations come from `tsc -b`. A `command` beside it writes at the same time. */
export function library(platform: "node" | "neutral", entry: string[] = ["src/index.ts"]): ReturnType<typeof defineConfig> {
  return defineConfig({ entry, format: "esm", platform, target: "es2023", clean: ["!**/*.cjs"], sourcemap: true, silent: true });
}

/**
 * A command as one CommonJS file with all that it imports (but wabt, which is large and seldom wanted), `dist/NAME.cjs`: Node starts it in half the time of the modules. What is imported
 * by `import()` is run at that moment.
 */
export function command(name: string, entry: string): Options {
  return {
    entry: { [name]: entry },
    format: "cjs",
    platform: "node",
    target: "es2023",
    noExternal: [/^(?!wabt$)/],
    splitting: false,
    shims: true,
    sourcemap: true,
    silent: true,
    clean: false,
    outExtension: () => ({ js: ".cjs" }),
    esbuildOptions: (options) => void (options.supported = { "dynamic-import": false }),
  };
}
