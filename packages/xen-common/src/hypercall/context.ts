import { DOMID, ERRNO, type Fields, type Layout, readStruct, writeStruct } from "xen-public";
import type { Domain } from "../domain.js";
import type { Vcpu } from "../vcpu.js";

/** One hypercall on its way: who calls, with what, and how much work it may still cause. */
export interface Hypercall {
  readonly v: Vcpu;
  /** X0 to X4. */
  readonly args: readonly bigint[];
  /** Units of work (extents, array elements, calls) left; Xen would preempt and continue, we refuse with -E2BIG. */
  budget: number;
  readonly isInMulticall: boolean;
}

/** Work units of one HVC, multicalls included: some tens of milliseconds at the worst. */
export const HYPERCALL_BUDGET: number = 1 << 17;

/** Handler of one hypercall number. Returns the non-negative result or a negative errno, and never throws. */
export type HypercallHandler = (call: Hypercall) => number;

/** An argument that C declares as `unsigned int`. */
export function u32Arg(call: Hypercall, index: number): number {
  return Number(BigInt.asUintN(32, call.args[index] ?? 0n));
}

/** An argument that is a guest virtual address. */
export function gvaArg(call: Hypercall, index: number): bigint {
  return BigInt.asUintN(64, call.args[index] ?? 0n);
}

/** Takes `units` of work; false when the call has had its share. */
export function spend(call: Hypercall, units: number): boolean {
  call.budget -= units;
  return call.budget >= 0;
}

/** Reads a structure from guest memory; undefined for -EFAULT. */
export function copyIn<L extends Layout>(v: Vcpu, gva: bigint, layout: L): Fields<L> | undefined {
  const bytes = new Uint8Array(layout.size);
  return v.domain.xen.arch.copyFromGuest(v, gva, bytes) ? readStruct(layout, bytes) : undefined;
}

/** Writes some fields of a structure to guest memory and leaves the others as they are; 0 or -EFAULT. */
export function copyOut<L extends Layout>(v: Vcpu, gva: bigint, layout: L, values: Partial<Fields<L>>): number {
  for (const [name, value] of Object.entries(values) as [string, number | bigint][]) {
    const [offset, kind] = layout.fields[name]!;
    const size = Number(/\d+/.exec(kind)![0]) / 8;
    const bytes = new Uint8Array(size);
    writeStruct({ size, fields: { value: [0, kind] } }, bytes, { value: value as never });
    if (!copyBytesOut(v, BigInt.asUintN(64, gva + BigInt(offset)), bytes)) return -ERRNO.EFAULT;
  }
  return 0;
}

/** Writes bytes to guest memory; false for -EFAULT. */
export function copyBytesOut(v: Vcpu, gva: bigint, bytes: Uint8Array): boolean {
  return v.domain.xen.arch.copyToGuest(v, gva, bytes);
}

/** Reads element `index` of a guest array of u64; undefined for -EFAULT. */
export function readU64(v: Vcpu, array: bigint, index: number): bigint | undefined {
  return copyIn(v, BigInt.asUintN(64, array + 8n * BigInt(index)), U64)?.value;
}

const U64 = { size: 8, fields: { value: [0, "u64"] } } as const;

/** The domain that a guest may name in a call that unprivileged domains make about themselves: -ESRCH or -EPERM otherwise. */
export function selfOnly(v: Vcpu, domid: number): Domain | number {
  const d = v.domain;
  if (domid === DOMID.SELF || domid === d.domainId) return d;
  return d.xen.domains.has(domid) ? -ERRNO.EPERM : -ERRNO.ESRCH;
}

/** A guest frame number below 2^36 (48 bits of address), or undefined. */
export function gfnOf(value: bigint): number | undefined {
  return value < 1n << 36n ? Number(value) : undefined;
}
