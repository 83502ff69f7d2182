import { i32, i64, load32u } from "../wasm/integer.js";
import { select, type Value } from "../wasm/value.js";
import { AT } from "../layout.js";
import { dst, type Fields, type Form, form, type Reg, sp, zr } from "./form.js";
import type { Stage } from "./stage.js";

const LOAD = [i64.load8u, i64.load16u, load32u, i64.load] as const;
const STORE = ["i64_8", "i64_16", "i64_32", "i64"] as const;
const MASK = [0xffn, 0xffffn, 0xffff_ffffn, -1n] as const;

const load = (size: number, host: Value, offset = 0): Value => LOAD[size as 0](host, offset);
const lowBits = (size: number, value: Value): Value => i64.and(value, i64.konst(MASK[size as 0]));

/**
 * The local monitor remembers the host address, the size and the value that was loaded; a store-exclusive succeeds if all still hold.
 * A store by another vCPU that puts the same value back is not noticed: Arm allows no such thing, but no compare-and-swap user can tell.
 */
function openMonitor(s: Stage): void {
  s.put32(AT.MONITOR, i32.konst(0));
}

/** STXR and STXP: `values` are stored if the monitor holds; Ws is 0 on success. */
function storeExclusive(s: Stage, size: number, r: { readonly s: Reg; readonly n: Reg }, values: readonly Value[]): void {
  const each = 1 << size;
  const bytes = each * values.length;
  const failed = s.body.temp("i32");
  s.write(
    s.base(r.n),
    bytes,
    (host) => {
      let holds = i32.and(i32.eq(s.get32(AT.MONITOR), host), i32.eq(s.get32(AT.MONITOR_BYTES), i32.konst(bytes)));
      holds = i32.and(holds, i64.eq(load(size, host), s.get64(AT.MONITOR_LOW)));
      if (values.length === 2) holds = i32.and(holds, i64.eq(load(size, host, each), s.get64(AT.MONITOR_HIGH)));
      failed.set(i32.eqz(holds));
      s.body.if(i32.eqz(failed.value), () => {
        for (const [i, value] of values.entries()) s.body.store(STORE[size as 0], host, value, i * each);
      });
    },
    { aligned: bytes },
  );
  openMonitor(s);
  s.setW(r.s, failed.value);
}

/** CAS and CASP: compares what is there with `expected`, stores `desired` if equal, and gives back what was there. */
function compareAndSwap(s: Stage, size: number, n: Reg, expected: readonly Reg[], desired: readonly Reg[], out: readonly Reg[]): void {
  const each = 1 << size;
  const old = expected.map(() => s.body.temp("i64"));
  s.write(
    s.base(n),
    each * expected.length,
    (host) => {
      for (const [i, o] of old.entries()) o.set(load(size, host, i * each));
      let same: Value = i32.konst(1);
      for (const [i, e] of expected.entries()) same = i32.and(i64.eq(old[i]?.value ?? i64.konst(0), lowBits(size, s.x(e))), same);
      s.body.if(same, () => {
        for (const [i, d] of desired.entries()) s.body.store(STORE[size as 0], host, s.x(d), i * each);
      });
    },
    { aligned: each * expected.length, isAtomic: true },
  );
  for (const [i, o] of out.entries()) s.setX(o, old[i]?.value ?? i64.konst(0));
}

/** LDAR and LDAPR: the order that tells them apart is there by itself. */
function loadOrdered(s: Stage, { size }: { readonly size: number }, r: { readonly t: Reg; readonly n: Reg }): void {
  s.read(s.base(r.n), 1 << size, (host) => s.setX(r.t, load(size, host)), { aligned: 1 << size });
}

/** New value of an LSE atomic: opc 0 ADD, 1 CLR, 2 EOR, 3 SET, 4 SMAX, 5 SMIN, 6 UMAX, 7 UMIN, 8 SWP. */
function atomic(opc: number, size: number, old: Value, operand: Value): Value {
  const bits = 8 << size;
  const up = (v: Value): Value => i64.shl(v, i64.konst(64 - bits));
  const pick = (compare: (a: Value, b: Value) => Value): Value => select(compare(up(old), up(operand)), old, operand);
  switch (opc) {
    case 0:
      return i64.add(old, operand);
    case 1:
      return i64.and(old, i64.not(operand));
    case 2:
      return i64.xor(old, operand);
    case 3:
      return i64.or(old, operand);
    case 4:
      return pick(i64.gtS);
    case 5:
      return pick(i64.ltS);
    case 6:
      return pick(i64.gtU);
    case 7:
      return pick(i64.ltU);
    default:
      return operand;
  }
}

const evenPair = (f: Fields): boolean => ((f["Rs"] ?? 0) & 1) === 0 && ((f["Rt"] ?? 0) & 1) === 0;
/** The odd register of a CASP pair; X30's partner is XZR. */
const next = (name: string, kind: "zr" | "dst") => ({ kind, of: (f: Fields) => (f[name] ?? 0) + 1 }) as const;

/** Exclusive, ordered and atomic accesses (Arm ARM C4.1.93). Ordering costs nothing: the vCPUs of a domain take turns. */
export const FORMS: readonly Form[] = [
  form({
    name: "LDXR_LDAXR",
    bits: "size:2 001000 0 1 0 xxxxx o0 xxxxx Rn:5 Rt:5",
    asm: "(size.o0:ldxrb|ldaxrb|ldxrh|ldaxrh|ldxr|ldaxr|ldxr|ldaxr) %St, [<Xn|sp>{, #0}]",
    by: ["size"],
    regs: { t: dst("Rt"), n: sp("Rn") },
    run: (s, { size }, r) =>
      s.read(
        s.base(r.n),
        1 << size,
        (host) => {
          s.put32(AT.MONITOR, host);
          s.put32(AT.MONITOR_BYTES, i32.konst(1 << size));
          s.put64(AT.MONITOR_LOW, load(size, host));
          s.setX(r.t, s.get64(AT.MONITOR_LOW));
        },
        { aligned: 1 << size },
      ),
  }),
  form({
    name: "STXR_STLXR",
    bits: "size:2 001000 0 0 0 Rs:5 o0 xxxxx Rn:5 Rt:5",
    asm: "(size.o0:stxrb|stlxrb|stxrh|stlxrh|stxr|stlxr|stxr|stlxr) <Ws>, %St, [<Xn|sp>{, #0}]",
    by: ["size"],
    regs: { s: dst("Rs"), t: zr("Rt"), n: sp("Rn") },
    run: (s, { size }, r) => storeExclusive(s, size, r, [s.x(r.t)]),
  }),
  form({
    name: "LDXP_LDAXP",
    bits: "1 sz 001000 0 1 1 xxxxx o0 Rt2:5 Rn:5 Rt:5",
    asm: "(o0:ldxp|ldaxp) <(sz:w|x)t>, <(sz:w|x)t2>, [<Xn|sp>{, #0}]",
    by: ["sz"],
    regs: { t: dst("Rt"), t2: dst("Rt2"), n: sp("Rn") },
    run: (s, { sz }, r) =>
      s.read(
        s.base(r.n),
        8 << sz,
        (host) => {
          s.put32(AT.MONITOR, host);
          s.put32(AT.MONITOR_BYTES, i32.konst(8 << sz));
          s.put64(AT.MONITOR_LOW, load(2 + sz, host));
          s.put64(AT.MONITOR_HIGH, load(2 + sz, host, 4 << sz));
          s.setX(r.t, s.get64(AT.MONITOR_LOW));
          s.setX(r.t2, s.get64(AT.MONITOR_HIGH));
        },
        { aligned: 8 << sz },
      ),
  }),
  form({
    name: "STXP_STLXP",
    bits: "1 sz 001000 0 0 1 Rs:5 o0 Rt2:5 Rn:5 Rt:5",
    asm: "(o0:stxp|stlxp) <Ws>, <(sz:w|x)t>, <(sz:w|x)t2>, [<Xn|sp>{, #0}]",
    by: ["sz"],
    regs: { s: dst("Rs"), t: zr("Rt"), t2: zr("Rt2"), n: sp("Rn") },
    run: (s, { sz }, r) => storeExclusive(s, 2 + sz, r, [s.x(r.t), s.x(r.t2)]),
  }),
  form({
    name: "LDAR",
    bits: "size:2 001000 1 1 0 xxxxx 1 xxxxx Rn:5 Rt:5",
    asm: "(size:ldarb|ldarh|ldar|ldar) %St, [<Xn|sp>{, #0}]",
    by: ["size"],
    regs: { t: dst("Rt"), n: sp("Rn") },
    hot: ({ size }) => size >= 2,
    run: loadOrdered,
  }),
  form({
    name: "STLR",
    bits: "size:2 001000 1 0 0 xxxxx 1 xxxxx Rn:5 Rt:5",
    asm: "(size:stlrb|stlrh|stlr|stlr) %St, [<Xn|sp>{, #0}]",
    by: ["size"],
    regs: { t: zr("Rt"), n: sp("Rn") },
    hot: ({ size }) => size >= 2,
    run: (s, { size }, r) => s.write(s.base(r.n), 1 << size, (host) => s.body.store(STORE[size as 0], host, s.x(r.t)), { aligned: 1 << size }),
  }),
  form({
    name: "LDAPR",
    bits: "size:2 111 0 00 1 0 1 11111 1 100 00 Rn:5 Rt:5",
    asm: "(size:ldaprb|ldaprh|ldapr|ldapr) %St, [<Xn|sp>{, #0}]",
    by: ["size"],
    regs: { t: dst("Rt"), n: sp("Rn") },
    run: loadOrdered,
  }),
  form({
    name: "CAS",
    bits: "size:2 001000 1 A 1 Rs:5 R 11111 Rn:5 Rt:5",
    asm: "cas(A:|a)(R:|l)(size:b|h||) %Ss, %St, [<Xn|sp>{, #0}]",
    by: ["size"],
    regs: { s: zr("Rs"), d: dst("Rs"), t: zr("Rt"), n: sp("Rn") },
    run: (s, { size }, r) => compareAndSwap(s, size, r.n, [r.s], [r.t], [r.d]),
  }),
  ...[0, 1].map((sz) =>
    form({
      name: `CASP_${sz ? 64 : 32}`,
      bits: `0 ${sz} 001000 0 A 1 Rs:5 R 11111 Rn:5 Rt:5`,
      asm: `casp(A:|a)(R:|l) ${["s", "s+1", "t", "t+1"].map((r) => `<${sz ? "X" : "W"}${r}>`).join(", ")}, [<Xn|sp>{, #0}]`,
      when: evenPair,
      regs: { s: zr("Rs"), t: zr("Rt"), n: sp("Rn"), t2: next("Rt", "zr") },
      run: (s, _f, r) => {
        // Four slots are not enough for both pairs: Rs's partner is Rs's slot plus one register, XZR behind X30 reads 0 and must not be written.
        const size = 2 + sz;
        const each = 1 << size;
        const high = s.body.temp("i64");
        const low = s.body.temp("i64");
        s.write(
          s.base(r.n),
          2 * each,
          (host) => {
            low.set(load(size, host));
            high.set(load(size, host, each));
            const same = i32.and(i64.eq(low.value, lowBits(size, s.x(r.s))), i64.eq(high.value, lowBits(size, s.xAfter(r.s))));
            s.body.if(same, () => {
              s.body.store(STORE[size as 0], host, s.x(r.t));
              s.body.store(STORE[size as 0], host, s.x(r.t2), each);
            });
          },
          { aligned: 2 * each, isAtomic: true },
        );
        s.setPair(r.s, low.value, high.value);
      },
    }),
  ),
  form({
    name: "LSE_ATOMIC",
    bits: "size:2 111 0 00 A R 1 Rs:5 o3 opc:3 00 Rn:5 Rt:5",
    asm: [
      "[Rt=31 A=0 o3=0] (opc:stadd|stclr|steor|stset|stsmax|stsmin|stumax|stumin)(R:|l)(size:b|h||) %Ss, [<Xn|sp>]",
      "(o3.opc:ldadd|ldclr|ldeor|ldset|ldsmax|ldsmin|ldumax|ldumin|swp)(A:|a)(R:|l)(size:b|h||) %Ss, %St, [<Xn|sp>]",
    ],
    by: ["size", "o3", "opc"],
    skip: (f) => f.o3 === 1 && f.opc !== 0,
    when: (f) => f["o3"] === 0 || f["opc"] === 0,
    regs: { s: zr("Rs"), d: dst("Rt"), n: sp("Rn") },
    run: (s, { size, o3, opc }, r) => {
      const old = s.body.temp("i64");
      const operand = s.body.let(lowBits(size, s.x(r.s)));
      s.write(
        s.base(r.n),
        1 << size,
        (host) => {
          old.set(load(size, host));
          s.body.store(STORE[size as 0], host, atomic(o3 ? 8 : opc, size, old.value, operand));
        },
        { aligned: 1 << size, isAtomic: true },
      );
      s.setX(r.d, old.value);
    },
  }),
  form({
    name: "CLREX",
    bits: "11010101000000110011 CRm:4 010 11111",
    asm: ["[CRm=15] clrex", "clrex #<CRm:x>"],
    run: openMonitor,
  }),
];
