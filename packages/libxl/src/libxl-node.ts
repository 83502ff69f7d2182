/** Reads a whole file with `node:fs`, loaded only when it is needed, so that a browser that hands its own in never asks for it. */
export async function nodeReadFile(path: string): Promise<Uint8Array> {
  const { readFile } = await import("node:fs/promises");
  return readFile(path);
}

/** Enough of a kernel's file to tell what it is: its headers. */
const HEAD_BYTES = 4096;

/** Size and first bytes of a regular file; undefined for anything else, such as a pipe, which can be read only once. */
export async function nodePeekFile(path: string): Promise<{ readonly size: number; readonly head: Uint8Array } | undefined> {
  const { open, stat } = await import("node:fs/promises");
  if (!(await stat(path)).isFile()) return undefined;
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(new Uint8Array(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return { size, head: buffer.subarray(0, bytesRead) };
  } finally {
    await file.close();
  }
}

/** Unpacks gzip with `node:zlib` to at most `limit` bytes. */
export async function nodeGunzip(bytes: Uint8Array, limit: number): Promise<Uint8Array> {
  const { gunzip } = await import("node:zlib");
  return new Promise((resolve, reject) => {
    gunzip(bytes, { maxOutputLength: limit }, (error, result) => (error === null ? resolve(result) : reject(error)));
  });
}
