import type { Body } from "./body.js";
import { Bytes } from "./bytes.js";
import { expectType, TYPE_CODE, Value, type ValueType } from "./value.js";

/** A function's type. */
export interface Signature {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** A function of the module, known before its body is. */
export interface FunctionRef {
  readonly index: number;
  readonly signature: Signature;
}

/** What a function does: a `Body`, or bytes that were one. */
export interface FunctionBody {
  /** The code section entry: locals, instructions, end. */
  encode(): Bytes;
}

/** The memory that a module imports; of at least `pages` of 64 KiB. */
export interface ImportedMemory {
  readonly module: string;
  readonly name: string;
  readonly pages: number;
  readonly isShared: boolean;
}

/** Limits of a memory that is shared, and the most that it can have. */
const SHARED = 3;
const MAX_PAGES = 65536;

/** Assembles a module of the binary format: one imported memory, imported functions, functions, and at most one table of them. */
export class ModuleBuilder {
  readonly #types: Signature[] = [];
  readonly #imports: { readonly module: string; readonly name: string; readonly type: number }[] = [];
  readonly #functions: { readonly type: number; body: FunctionBody | undefined }[] = [];
  #table: { readonly functions: readonly FunctionRef[]; readonly size: number; readonly exportName: string } | undefined;
  readonly #exports: { readonly name: string; readonly index: number }[] = [];
  readonly #memory: ImportedMemory;

  constructor(memory: ImportedMemory) {
    this.#memory = memory;
  }

  #type(signature: Signature): number {
    const key = (s: Signature): string => `${s.parameters.join()}>${s.results.join()}`;
    const found = this.#types.findIndex((s) => key(s) === key(signature));
    return found >= 0 ? found : this.#types.push(signature) - 1;
  }

  /** Imports come before all functions. */
  importFunction(module: string, name: string, signature: Signature): FunctionRef {
    if (this.#functions.length > 0) throw new Error("imports must be declared before functions");
    this.#imports.push({ module, name, type: this.#type(signature) });
    return { index: this.#imports.length - 1, signature };
  }

  /** Declares a function so that others can call it; `define` gives its body. */
  declare(signature: Signature, exportName?: string): FunctionRef {
    this.#functions.push({ type: this.#type(signature), body: undefined });
    const index = this.#imports.length + this.#functions.length - 1;
    if (exportName !== undefined) this.#exports.push({ name: exportName, index });
    return { index, signature };
  }

  define(ref: FunctionRef, body: FunctionBody): void {
    const entry = this.#functions[ref.index - this.#imports.length];
    if (entry === undefined || entry.body !== undefined) throw new Error(`function ${ref.index} cannot be defined`);
    entry.body = body;
  }

  /** The module's own table for `callIndirect`: functions from element 0 on, room for more, exported. */
  setTable(functions: readonly FunctionRef[], size: number, exportName: string): void {
    this.#table = { functions, size, exportName };
  }

  /** Calls the table's function at an index. */
  callIndirect(signature: Signature, index: Value, ...args: readonly Value[]): Value {
    const type = this.#type(signature);
    const [result] = signature.results;
    if (result === undefined) throw new TypeError("callIndirect needs a result");
    return new Value(result, (out) => {
      for (const arg of args) arg.emit(out);
      index.emit(out);
      out.u8(0x11).u32(type).u8(0);
    });
  }

  encode(): Uint8Array<ArrayBuffer> {
    const out = new Bytes(1 << 16).bytes([0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    const section = (id: number, fill: (body: Bytes) => void): void => {
      const body = new Bytes(4096);
      fill(body);
      out.u8(id).sized(body);
    };
    section(1, (s) => {
      s.u32(this.#types.length);
      for (const { parameters, results } of this.#types) {
        s.u8(0x60).u32(parameters.length);
        for (const type of parameters) s.u8(TYPE_CODE[type]);
        s.u32(results.length);
        for (const type of results) s.u8(TYPE_CODE[type]);
      }
    });
    section(2, (s) => {
      s.u32(this.#imports.length + 1);
      for (const { module, name, type } of this.#imports) s.name(module).name(name).u8(0).u32(type);
      const { module, name, pages, isShared } = this.#memory;
      s.name(module).name(name).u8(2);
      if (isShared) s.u8(SHARED).u32(pages).u32(MAX_PAGES);
      else s.u8(0).u32(pages);
    });
    section(3, (s) => {
      s.u32(this.#functions.length);
      for (const { type } of this.#functions) s.u32(type);
    });
    const table = this.#table;
    if (table !== undefined) section(4, (s) => s.u32(1).u8(0x70).u8(0).u32(table.size));
    section(7, (s) => {
      s.u32(this.#exports.length + (table === undefined ? 0 : 1));
      if (table !== undefined) s.name(table.exportName).u8(1).u32(0);
      for (const { name, index } of this.#exports) s.name(name).u8(0).u32(index);
    });
    if (table !== undefined) {
      section(9, (s) => {
        s.u32(1).u8(0).u8(0x41).s32(0).u8(0x0b).u32(table.functions.length);
        for (const { index } of table.functions) s.u32(index);
      });
    }
    section(10, (s) => {
      s.u32(this.#functions.length);
      for (const { body } of this.#functions) {
        if (body === undefined) throw new Error("a declared function has no body");
        s.sized(body.encode());
      }
    });
    return out.copy();
  }
}

/** The value of a call to a function with one result. */
export function call(target: FunctionRef, ...args: readonly Value[]): Value {
  const [result] = target.signature.results;
  if (result === undefined) throw new TypeError(`function ${target.index} has no result`);
  return new Value(result, (out) => emitCall(out, target, args));
}

/** Calls a function with no result as a statement. */
export function callStatement(body: Body, target: FunctionRef, ...args: readonly Value[]): void {
  emitCall(body.out, target, args);
}

function emitCall(out: Bytes, target: FunctionRef, args: readonly Value[]): void {
  const { parameters } = target.signature;
  if (args.length !== parameters.length) throw new TypeError(`function ${target.index} takes ${parameters.length} arguments`);
  for (const [i, arg] of args.entries()) {
    expectType(arg, parameters[i] ?? "i32", `argument ${i}`);
    arg.emit(out);
  }
  out.u8(0x10).u32(target.index);
}
