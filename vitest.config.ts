import { defineConfig } from "vitest/config";

/** One run for the whole repository; packages resolve to each other's sources, so nothing needs to be built first. */
export default defineConfig({
  resolve: { conditions: ["source", "module", "node", "development|production"] },
  ssr: { resolve: { conditions: ["source", "module", "node", "development|production"] } },
  test: {
    include: ["{packages/*,guests,demo,bench}/{src,test}/**/*.test.ts", "tests/**/*.test.ts"],
    passWithNoTests: true,
    testTimeout: 20_000,
    // Hosts keep nothing for the next one, nor find anything.
    env: { XEN_HOST_CACHE: "off" },
  },
});
