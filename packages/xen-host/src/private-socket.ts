import { chmodSync } from "node:fs";
import type { Server } from "node:net";

/** Listens on a unix socket of mode 0600. Resolves when it listens, rejects where it cannot. */
export async function listenPrivately(server: Server, path: string): Promise<void> {
  const umask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(path, resolve);
    });
  } finally {
    process.umask(umask);
  }
  chmodSync(path, 0o600);
}
