import { Body } from "../wasm/body.js";
import { i32 } from "../wasm/integer.js";
import type { ModuleBuilder, Signature } from "../wasm/module.js";
import { v128 } from "../wasm/simd.js";

const SCAN: Signature = { parameters: ["i32", "i32"], results: ["i32"] };

/** Defines `nextUsedPage(from, to)`: the first page of [from, to) with a byte that is not 0, or `to`. */
export function defineScan(module: ModuleBuilder): void {
  const ref = module.declare(SCAN, "nextUsedPage");
  const body = new Body(SCAN.parameters);
  const at = body.local("i32");
  at.set(body.parameter(0));
  const found = body.block();
  const pieces = body.loop();
  body.brIf(i32.geU(at.value, body.parameter(1)), found);
  const line = [0, 16, 32, 48].map((offset) => v128.load(at.value, offset)).reduce(v128.or);
  body.brIf(v128.anyTrue(line), found);
  at.set(i32.add(at.value, i32.konst(64)));
  body.br(pieces);
  body.end();
  body.end();
  body.return(i32.and(at.value, i32.konst(-4096)));
  module.define(ref, body);
}
