import { Body } from "../wasm/body.js";
import { call, type FunctionRef, type ModuleBuilder } from "../wasm/module.js";
import type { Value, ValueType } from "../wasm/value.js";

/** Calls a helper from a description, or from another helper. The call is evaluated where the value is emitted: use `Body.let`. */
export type CallHelper = (helper: Helper, ...args: readonly Value[]) => Value;

/** A function that descriptions call, out of line: emitted at most once a module. It reaches state at the window's constant addresses. */
export interface Helper {
  readonly name: string;
  readonly parameters: readonly ValueType[];
  readonly result: ValueType;
  /** Emits the statements and gives the result. */
  readonly emit: (body: Body, parameters: readonly Value[], call: CallHelper) => Value;
}

/** Makes a `CallHelper` that defines each helper in a module when it is first called. */
export function helpersOf(module: ModuleBuilder): CallHelper {
  const defined = new Map<string, FunctionRef>();
  const use: CallHelper = (helper, ...args) => {
    let ref = defined.get(helper.name);
    if (ref === undefined) {
      ref = module.declare({ parameters: helper.parameters, results: [helper.result] });
      defined.set(helper.name, ref);
      const body = new Body(helper.parameters);
      const parameters = helper.parameters.map((_, i) => body.parameter(i));
      body.return(helper.emit(body, parameters, use));
      module.define(ref, body);
    }
    return call(ref, ...args);
  };
  return use;
}

/** Makes a helper whose emitter names its parameters. */
export function helper(
  name: string,
  parameters: readonly ValueType[],
  result: ValueType,
  emit: (body: Body, call: CallHelper, ...parameters: Value[]) => Value,
): Helper {
  return { name, parameters, result, emit: (body, values, call) => emit(body, call, ...values) };
}
