import { fileURLToPath } from "node:url";

/** Where fetched and generated guest files are kept: an ignored folder in the repository's root. */
export const cacheFolder: string = fileURLToPath(new URL("../../.cache/guests", import.meta.url));
