import { AT, STORED_SYSREGS, WINDOW_BYTES } from "../layout.js";
import { TRACE } from "../trace.js";
import type { Body } from "../wasm/body.js";
import { extendS, extendU, i32, i64 } from "../wasm/integer.js";
import type { FunctionRef } from "../wasm/module.js";
import type { Value } from "../wasm/value.js";
import { type Define, get32, get64, zero } from "./emit.js";
import { nzcv } from "./flags.js";

/** 2^64 over the golden ratio: odd, and no pattern in its bits. */
const FACTOR = i64.konst(0x9e37_79b9_7f4a_7c15n);

/** Stretches of the window that hold registers: X0 to X30, system registers, V0 to V31. What they hold is the same however the guest came there. */
const STRETCHES: readonly (readonly [from: number, to: number])[] = [
  [AT.X, AT.X + 31 * 8],
  [AT.SYSREGS, AT.SYSREGS + STORED_SYSREGS.length * 8],
  [AT.VREGS, AT.VREGS + 32 * 16],
];

/** Defines `trace(what)`: takes the registers of the vCPU in the window and the number of retired instructions into the hash. */
export function defineTrace(define: Define): FunctionRef {
  if (STRETCHES.some(([, to]) => to > WINDOW_BYTES)) throw new Error("registers outside the window");
  return define(
    ["i32"],
    (b, what) => {
      const hash = b.local("i64");
      const at = b.local("i32");
      const mix = (value: Value): void => hash.set(i64.rotr(i64.mul(i64.xor(hash.value, value), FACTOR), i64.konst(35)));
      hash.set(i64.load(zero, TRACE.HASH));
      mix(extendU(what));
      mix(retired());
      mix(get64(AT.PC));
      mix(get64(AT.SP));
      mix(extendU(i32.or(i32.or(nzcv(), get32(AT.DAIF)), i32.or(i32.shl(get32(AT.EL), i32.konst(10)), i32.shl(get32(AT.SPSEL), i32.konst(11))))));
      for (const [from, to] of STRETCHES) mixStretch(b, at, { from, to, mix });
      b.store("i64", zero, hash.value, TRACE.HASH);
    },
    "trace",
  );
}

/** Instructions retired by now. */
const retired = (): Value => i64.sub(i64.load(zero, TRACE.END), extendS(i32.shrS(get32(AT.BUDGET), i32.konst(4))));

interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly mix: (value: Value) => void;
}

function mixStretch(b: Body, at: ReturnType<Body["local"]>, { from, to, mix }: Stretch): void {
  at.set(i32.konst(from));
  const words = b.loop();
  mix(i64.load(at.value));
  at.set(i32.add(at.value, i32.konst(8)));
  b.brIf(i32.ltU(at.value, i32.konst(to)), words);
  b.end();
}
