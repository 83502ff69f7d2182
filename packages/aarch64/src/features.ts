import { Body } from "./wasm/body.js";
import { ModuleBuilder } from "./wasm/module.js";
import { f64x2, relaxedMadd } from "./wasm/simd.js";

/** What this engine's WebAssembly has beyond that of Node 20, as far as it pays. */
export interface Features {
  /** The multiply-add of relaxed SIMD is there, and rounds once. */
  readonly fusesMadd: boolean;
}

let features: Features | undefined;

/** Looks at the engine once; the answer is the same from then on. */
export function detectFeatures(): Features {
  return (features ??= { fusesMadd: fusesMadd() });
}

/** Numbers a, b, c for which a * b + c is not what two roundings make of it: 1 - 2^-60 rounds to 1. */
const [A, B, C] = [1 + 2 ** -30, 1 - 2 ** -30, -1];

/** The processor of the host decides whether it fuses: so ask for a result. */
function fusesMadd(): boolean {
  const module = new ModuleBuilder({ module: "host", name: "memory", pages: 1, isShared: false });
  const signature = { parameters: ["f64", "f64", "f64"], results: ["f64"] } as const;
  const body = new Body(signature.parameters);
  const [a, b, c] = [0, 1, 2].map((i) => f64x2.splat(body.parameter(i)));
  if (a === undefined || b === undefined || c === undefined) return false;
  body.return(f64x2.extract(relaxedMadd.f64x2(a, b, c), 1));
  module.define(module.declare(signature, "madd"), body);
  const bytes = module.encode();
  if (!WebAssembly.validate(bytes)) return false;
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { host: { memory } });
  const madd = exports["madd"] as (a: number, b: number, c: number) => number;
  return madd(A, B, C) === -(2 ** -60);
}
