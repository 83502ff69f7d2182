import { type StoredSysreg, sysregAt } from "../layout.js";
import { Body } from "../wasm/body.js";
import { i32, i64, wrap } from "../wasm/integer.js";
import type { FunctionRef, ModuleBuilder } from "../wasm/module.js";
import type { Value } from "../wasm/value.js";

/** Shorthand of the functions in this folder: state of the window, and how they are defined. */

/** The base of absolute addresses. */
export const zero: Value = i32.konst(0);
/** The 32 bits at an absolute address. */
export const get32 = (at: number): Value => i32.load(zero, at);
/** The 64 bits at an absolute address. */
export const get64 = (at: number): Value => i64.load(zero, at);
/** A stored system register of the vCPU that runs. */
export const getSysreg = (name: StoredSysreg): Value => get64(sysregAt(name));
/** Stores 32 bits at an absolute address. */
export const put32 = (b: Body, at: number, value: Value): void => b.store("i32", zero, value, at);
/** Stores 64 bits at an absolute address. */
export const put64 = (b: Body, at: number, value: Value): void => b.store("i64", zero, value, at);
/** Bit `n` of an i64, as an i32. */
export const bit = (value: Value, n: number): Value => i32.and(wrap(i64.shrU(value, i64.konst(n))), i32.konst(1));
/** Clears the offset in a page of 4 KiB. */
export const PAGE_MASK: Value = i64.konst(-4096);

/** Defines a function that gives an i32, 0 where it comes to its end. */
export type Define = (parameters: readonly ("i32" | "i64")[], emit: (body: Body, ...p: Value[]) => void, exportName?: string) => FunctionRef;

/** How to define functions in a module. */
export function definer(module: ModuleBuilder): Define {
  return (parameters, emit, exportName) => {
    const ref = module.declare({ parameters, results: ["i32"] }, exportName);
    const body = new Body(parameters);
    emit(body, ...parameters.map((_, i) => body.parameter(i)));
    body.return(zero);
    module.define(ref, body);
    return ref;
  };
}
