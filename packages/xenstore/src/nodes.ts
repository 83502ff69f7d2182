import { XS } from "xen-public";
import type { XsConnection } from "./connection.js";
import { formatPermission, parsePermission } from "./permissions.js";
import { bytesToText, packStrings, textToBytes, unpackStrings } from "./wire.js";
import { XsError, type XsErrorCode, type XsNodes } from "./xs-types.js";

/** Nodes as a transaction, or (0) everybody, sees them. */
export function createNodes(connection: XsConnection, txId: number): XsNodes {
  const send = (type: number, ...strings: readonly string[]): Promise<Uint8Array> => connection.request({ type, txId, payload: packStrings(...strings) });
  const readBytes = (path: string): Promise<Uint8Array | null> => unless("ENOENT", send(XS.READ, path));
  const list = async (path: string): Promise<string[] | null> => {
    const listed = await unless("E2BIG", send(XS.DIRECTORY, path));
    return listed === null ? await listParts((offset) => send(XS.DIRECTORY_PART, path, String(offset))) : unpackStrings(listed);
  };
  return {
    readBytes,
    read: async (path) => {
      const bytes = await readBytes(path);
      return bytes && bytesToText(bytes);
    },
    write: async (path, value) => {
      const payload = joined(packStrings(path), typeof value === "string" ? textToBytes(value) : value);
      await connection.request({ type: XS.WRITE, txId, payload });
    },
    mkdir: async (path) => void (await send(XS.MKDIR, path)),
    rm: async (path) => void (await send(XS.RM, path)),
    directory: (path) => unless("ENOENT", list(path)),
    getPermissions: async (path) => {
      const payload = await unless("ENOENT", send(XS.GET_PERMS, path));
      return payload && unpackStrings(payload).map((text) => parsePermission(text) ?? invalid(text));
    },
    setPermissions: async (path, permissions) => void (await send(XS.SET_PERMS, path, ...permissions.map(formatPermission))),
  };
}

/** Collects a list that does not fit one message; begins again when the node changes meanwhile. */
async function listParts(request: (offset: number) => Promise<Uint8Array>): Promise<string[]> {
  let generation: string | undefined;
  let names = "";
  while (!/(^|\0)\0$/.test(names)) {
    const text = bytesToText(await request(names.length));
    const end = text.indexOf("\0");
    if (generation !== undefined && text.slice(0, end) !== generation) {
      generation = undefined;
      names = "";
      continue;
    }
    generation = text.slice(0, end);
    names += text.slice(end + 1);
  }
  return names.split("\0").slice(0, -2);
}

/** Null in place of one kind of refusal. */
async function unless<T>(code: XsErrorCode, result: Promise<T>): Promise<T | null> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof XsError && error.code === code) return null;
    throw error;
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}

function invalid(text: string): never {
  throw new XsError("EINVAL", `"${text}" are no permissions`);
}
