import { AT } from "../layout.js";
import type { Body } from "../wasm/body.js";
import { extendU, i32, i64, wrap } from "../wasm/integer.js";
import type { Value } from "../wasm/value.js";
import { get32, get64, zero } from "./emit.js";

/** NZCV in bits 3:0 from the lazy flags. */
export function nzcv(): Value {
  const n = wrap(i64.and(i64.shrU(get64(AT.N), i64.konst(60)), i64.konst(8)));
  const z = i32.shl(i64.eqz(get64(AT.Z)), i32.konst(2));
  const c = i32.shl(get32(AT.C), i32.konst(1));
  const v = wrap(i64.shrU(get64(AT.V), i64.konst(63)));
  return i32.or(i32.or(n, z), i32.or(c, v));
}

/** Sets the lazy flags from NZCV in bits 3:0. */
export function setNzcv(body: Body, value: Value): void {
  const wide = extendU(value);
  body.store("i64", zero, i64.shl(wide, i64.konst(60)), AT.N);
  body.store("i64", zero, i64.xor(i64.and(wide, i64.konst(4)), i64.konst(4)), AT.Z);
  body.store("i32", zero, i32.and(i32.shrU(value, i32.konst(1)), i32.konst(1)), AT.C);
  body.store("i64", zero, i64.shl(wide, i64.konst(63)), AT.V);
}
