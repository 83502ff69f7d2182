import { LINE_BYTES } from "../layout.js";
import { Body } from "../wasm/body.js";
import { i32 } from "../wasm/integer.js";
import type { ModuleBuilder, Signature } from "../wasm/module.js";
import { lanes, v128 } from "../wasm/simd.js";

const SCAN: Signature = { parameters: ["i32", "i32"], results: ["i32"] };
const COMPARE: Signature = { parameters: ["i32", "i32", "i32"], results: ["i32"] };
const i32x4 = lanes[2];
const QUARTERS = [0, 16, 32, 48] as const;

/** Defines `nextUsedPage(from, to)`: the first page of [from, to) with a byte that is not 0, or `to`. */
export function defineScan(module: ModuleBuilder): void {
  const ref = module.declare(SCAN, "nextUsedPage");
  const body = new Body(SCAN.parameters);
  const at = body.local("i32");
  at.set(body.parameter(0));
  const found = body.block();
  const pieces = body.loop();
  body.brIf(i32.geU(at.value, body.parameter(1)), found);
  const line = QUARTERS.map((offset) => v128.load(at.value, offset)).reduce(v128.or);
  body.brIf(v128.anyTrue(line), found);
  at.set(i32.add(at.value, i32.konst(LINE_BYTES)));
  body.br(pieces);
  body.end();
  body.end();
  body.return(i32.and(at.value, i32.konst(-4096)));
  module.define(ref, body);
}

/** Defines `nextChangedLine(seen, page, from)`: offset of the first line from `from` on in which a page is not as it was seen, or 4096. */
export function defineCompare(module: ModuleBuilder): void {
  const ref = module.declare(COMPARE, "nextChangedLine");
  const body = new Body(COMPARE.parameters);
  const [seen, page] = [body.parameter(0), body.parameter(1)];
  const at = body.local("i32");
  at.set(body.parameter(2));
  const found = body.block();
  const lines = body.loop();
  body.brIf(i32.geU(at.value, i32.konst(4096)), found);
  const isSame = QUARTERS.map((quarter) => {
    const then = body.let(v128.load(i32.add(seen, at.value), quarter));
    const now = v128.load(i32.add(page, at.value), quarter);
    return v128.or(i32x4.eq(then, now), i32x4.eq(then, i32x4.splat(i32.konst(0))));
  }).reduce(v128.and);
  body.brIf(i32.eqz(i32x4.allTrue(isSame)), found);
  at.set(i32.add(at.value, i32.konst(LINE_BYTES)));
  body.br(lines);
  body.end();
  body.end();
  body.return(at.value);
  module.define(ref, body);
}
