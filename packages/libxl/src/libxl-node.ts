/** Reads a whole file with `node:fs`, loaded only when it is needed, so that a browser that hands its own in never asks for it. */
export async function nodeReadFile(path: string): Promise<Uint8Array> {
  const { readFile } = await import("node:fs/promises");
  return readFile(path);
}

/** Unpacks gzip with `node:zlib` to at most `limit` bytes. */
export async function nodeGunzip(bytes: Uint8Array, limit: number): Promise<Uint8Array> {
  const { gunzip } = await import("node:zlib");
  return new Promise((resolve, reject) => {
    gunzip(bytes, { maxOutputLength: limit }, (error, result) => (error === null ? resolve(result) : reject(error)));
  });
}
