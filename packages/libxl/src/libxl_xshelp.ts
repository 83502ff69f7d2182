import { createXs, type Xs, XsError, type XsNodes, type XsPermission } from "xenstore";
import { call, type Ctx } from "./libxl_internal.js";
import type { XenCtrl } from "./xenctrl.js";

/** The three kinds of permission that libxl gives to nodes of a domain; what is made below inherits them. */
export const PERMISSIONS = {
  /** The toolstack's; the guest may read. */
  readOnly: (domid: number): XsPermission[] => [
    { access: "n", domid: 0 },
    { access: "r", domid },
  ],
  /** The guest's own. */
  readWrite: (domid: number): XsPermission[] => [{ access: "n", domid }],
  /** The toolstack's alone. */
  none: (): XsPermission[] => [{ access: "n", domid: 0 }],
} as const;

/** A node to be made, with its value where it has one. */
export interface NewNode {
  readonly path: string;
  readonly value?: string;
  readonly permissions?: readonly XsPermission[];
}

/** Gives the connection to xenstored, made at the first call and again after it was lost. */
export function createStore(ctrl: XenCtrl): { readonly xs: () => Promise<Xs>; readonly close: () => void } {
  let opened: Promise<Xs> | undefined;
  const open = async (): Promise<Xs> => {
    const xs = createXs(await ctrl.openStore());
    void xs.closed.then(() => (opened = undefined));
    return xs;
  };
  return {
    xs() {
      opened ??= open().catch((error: unknown) => {
        opened = undefined;
        throw error;
      });
      return opened;
    },
    close: () => void opened?.then((xs) => xs.close()).catch(() => undefined),
  };
}

/** Text as it lies in the store. Domains may be called anything: UTF-8. */
export function encodeText(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** libxl__xs_read: a node's text, or null where there is none. */
export async function xsRead(ctx: Ctx, path: string, domid?: number): Promise<string | null> {
  return call(ctx, `read ${path}`, domid, readText(ctx, path));
}

async function readText(ctx: Ctx, path: string): Promise<string | null> {
  const bytes = await (await ctx.xs()).readBytes(path);
  return bytes === null ? null : new TextDecoder().decode(bytes);
}

/** libxl__xs_printf outside of a transaction. */
export async function xsWrite(ctx: Ctx, path: string, value: string, domid?: number): Promise<void> {
  const write = async (): Promise<void> => (await ctx.xs()).write(path, encodeText(value));
  await call(ctx, `write ${path}`, domid, write());
}

/** Runs `body` in a transaction, again and again while others are in the way; `what` is a verb phrase for the error. */
export async function xsTransaction<T>(ctx: Ctx, what: string, domid: number | undefined, body: (nodes: XsNodes) => Promise<T>): Promise<T> {
  const run = async (): Promise<T> => (await ctx.xs()).transaction(body);
  return call(ctx, what, domid, run());
}

/** Makes nodes in that order; none waits for the answer to the one before. */
export async function writeNodes(nodes: XsNodes, wanted: readonly NewNode[]): Promise<void> {
  const requests = wanted.flatMap(({ path, value, permissions }) => [
    value === undefined ? nodes.mkdir(path) : nodes.write(path, encodeText(value)),
    ...(permissions === undefined ? [] : [nodes.setPermissions(path, permissions)]),
  ]);
  await Promise.all(requests);
}

/** Removes nodes with all that is below; those that are not there are removed already. */
export async function removeNodes(nodes: XsNodes, paths: readonly string[]): Promise<void> {
  await Promise.all(
    paths.map((path) =>
      nodes.rm(path).catch((error: unknown) => {
        if (!(error instanceof XsError && error.code === "ENOENT")) throw error;
      }),
    ),
  );
}
