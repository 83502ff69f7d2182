const CONDITIONS = ["eq", "ne", "cs/hs", "cc/lo", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "al", "nv"] as const;

/** The arrangement of a vector by size and Q. */
const T = "(size.Q:8b|16b|4h|8h|2s|4s|-|2d)";

/** Choices and operands that many templates share, as `%name`. */
export const MACROS: Readonly<Record<string, string>> = {
  cond: `(cond:${CONDITIONS.join("|")})`,
  /** The inverse condition, for CSET and the like: never AL. */
  inverse: `(cond:${CONDITIONS.map((_, i) => (i < 14 ? CONDITIONS[i ^ 1] : "-")).join("|")})`,
  shift: "(shift:lsl|lsr|asr|ror)",
  extend: "(option:uxtb|uxth|uxtw|uxtx|sxtb|sxth|sxtw|sxtx)",
  /** Index register of an extended operand: X only for UXTX and SXTX of 64 bits. */
  ExtRm: "<(sf.option:w|w|w|w|w|w|w|w|w|w|w|x|w|w|w|x)m>",
  /** Loads and stores of one general register by size and opc; unscaled, and with EL0's rights. */
  ldr: "(size.opc:strb|ldrb|ldrsb|ldrsb|strh|ldrh|ldrsh|ldrsh|str|ldr|ldrsw|-|str|ldr|-|-)",
  ldur: "(size.opc:sturb|ldurb|ldursb|ldursb|sturh|ldurh|ldursh|ldursh|stur|ldur|ldursw|-|stur|ldur|-|-)",
  ldtr: "(size.opc:sttrb|ldtrb|ldtrsb|ldtrsb|sttrh|ldtrh|ldtrsh|ldtrsh|sttr|ldtr|ldtrsw|-|sttr|ldtr|-|-)",
  /** Their register. */
  Rt: "<(size.opc:w|w|x|w|w|w|x|w|w|w|x|-|x|x|-|-)t>",
  /** Registers by size alone: exclusive and atomic accesses. */
  St: "<(size:w|w|w|x)t>",
  Ss: "<(size:w|w|w|x)s>",
  prfop: `(Rt:${["pld", "pli", "pst"].flatMap((kind) => [1, 2, 3, 0].flatMap((n) => ["keep", "strm"].map((policy) => (n ? `${kind}l${n}${policy}` : "-")))).join("|")})`,
  T,
  /** All arrangements, 1D included. */
  T1: "(size.Q:8b|16b|4h|8h|2s|4s|1d|2d)",
  /** Elements of twice the size: of a whole register, and of as many bytes as `%T`. */
  Ta: "(size:8h|4s|2d|-)",
  Tl: "(size.Q:4h|8h|2s|4s|1d|2d|-|-)",
  /** By imm5, by immh. */
  T5: "($imm5.Q:8b|16b|4h|8h|2s|4s|-|2d)",
  Th: "($immh.Q:8b|16b|4h|8h|2s|4s|-|2d)",
  Tha: "($immh:8h|4s|2d|-)",
  B: "(Q:8b|16b)",
  /** Vectors by size and Q. */
  Vd: `<Vd>.${T}`,
  Vn: `<Vn>.${T}`,
  Vm: `<Vm>.${T}`,
  /** Scalars by size, and of twice the size. */
  Zd: "<(size:b|h|s|d)d>",
  Zn: "<(size:b|h|s|d)n>",
  Zm: "<(size:b|h|s|d)m>",
  Zad: "<(size:h|s|d|-)d>",
  Zan: "<(size:h|s|d|-)n>",
  /** Floating point: scalars by type, and scalars and vectors by sz. */
  ...Object.fromEntries(
    ["d", "n", "m", "a"].flatMap((r) => [
      [`F${r}`, `<(type:s|d)${r}>`],
      [`Zf${r}`, `<(sz:s|d)${r}>`],
      [`Vf${r}`, `<V${r}>.(sz.Q:2s|4s|-|2d)`],
    ]),
  ),
  /** Loads and stores of a vector register. */
  Ft: "<(opc.size:b|h|s|d|b|h|s|d|q|-|-|-|q)t>",
};
