/** Names by op2 (`-` where there is none) of the system registers with "op0 op1 CRn CRm" (Arm ARM D17.1; GICv3 IHI 0069 for ICC). */
const SYSREG_ROWS: Readonly<Record<string, string>> = {
  "2 0 0 2": "- - mdscr_el1",
  "2 0 1 0": "mdrar_el1 - - - oslar_el1",
  "2 0 1 1": "- - - - oslsr_el1",
  "2 0 1 3": "- - - - osdlr_el1",
  "3 0 0 0": "midr_el1 - - - - mpidr_el1 revidr_el1",
  "3 0 0 1": "id_pfr0_el1 id_pfr1_el1 id_dfr0_el1 id_afr0_el1 id_mmfr0_el1 id_mmfr1_el1 id_mmfr2_el1 id_mmfr3_el1",
  "3 0 0 2": "id_isar0_el1 id_isar1_el1 id_isar2_el1 id_isar3_el1 id_isar4_el1 id_isar5_el1 id_mmfr4_el1 id_isar6_el1",
  "3 0 0 3": "mvfr0_el1 mvfr1_el1 mvfr2_el1 - id_pfr2_el1 id_dfr1_el1 id_mmfr5_el1",
  "3 0 0 4": "id_aa64pfr0_el1 id_aa64pfr1_el1 - - id_aa64zfr0_el1 id_aa64smfr0_el1",
  "3 0 0 5": "id_aa64dfr0_el1 id_aa64dfr1_el1 - - id_aa64afr0_el1 id_aa64afr1_el1",
  "3 0 0 6": "id_aa64isar0_el1 id_aa64isar1_el1 id_aa64isar2_el1",
  "3 0 0 7": "id_aa64mmfr0_el1 id_aa64mmfr1_el1 id_aa64mmfr2_el1",
  "3 0 1 0": "sctlr_el1 actlr_el1 cpacr_el1",
  "3 0 2 0": "ttbr0_el1 ttbr1_el1 tcr_el1",
  "3 0 4 0": "spsr_el1 elr_el1",
  "3 0 4 1": "sp_el0",
  "3 0 4 2": "spsel - currentel pan uao",
  "3 0 4 6": "icc_pmr_el1",
  "3 0 5 1": "afsr0_el1 afsr1_el1",
  "3 0 5 2": "esr_el1",
  "3 0 6 0": "far_el1",
  "3 0 7 4": "par_el1",
  "3 0 9 14": "- pmintenset_el1 pmintenclr_el1",
  "3 0 10 2": "mair_el1",
  "3 0 10 3": "amair_el1",
  "3 0 12 0": "vbar_el1 rvbar_el1 rmr_el1",
  "3 0 12 1": "isr_el1 disr_el1",
  "3 0 12 8": "icc_iar0_el1 icc_eoir0_el1 icc_hppir0_el1 icc_bpr0_el1 icc_ap0r0_el1 icc_ap0r1_el1 icc_ap0r2_el1 icc_ap0r3_el1",
  "3 0 12 9": "icc_ap1r0_el1 icc_ap1r1_el1 icc_ap1r2_el1 icc_ap1r3_el1",
  "3 0 12 11": "- icc_dir_el1 - icc_rpr_el1 - icc_sgi1r_el1 icc_asgi1r_el1 icc_sgi0r_el1",
  "3 0 12 12": "icc_iar1_el1 icc_eoir1_el1 icc_hppir1_el1 icc_bpr1_el1 icc_ctlr_el1 icc_sre_el1 icc_igrpen0_el1 icc_igrpen1_el1",
  "3 0 13 0": "- contextidr_el1 - - tpidr_el1",
  "3 0 14 1": "cntkctl_el1",
  "3 1 0 0": "ccsidr_el1 clidr_el1 - - - - - aidr_el1",
  "3 2 0 0": "csselr_el1",
  "3 3 0 0": "- ctr_el0 - - - - - dczid_el0",
  "3 3 2 4": "rndr rndrrs",
  "3 3 4 2": "nzcv daif - - - dit ssbs",
  "3 3 4 4": "fpcr fpsr",
  "3 3 9 12": "pmcr_el0 pmcntenset_el0 pmcntenclr_el0 pmovsclr_el0 pmswinc_el0 pmselr_el0 pmceid0_el0 pmceid1_el0",
  "3 3 9 13": "pmccntr_el0 pmxevtyper_el0 pmxevcntr_el0",
  "3 3 9 14": "pmuserenr_el0 - - pmovsset_el0",
  "3 3 13 0": "- - tpidr_el0 tpidrro_el0",
  "3 3 14 0": "cntfrq_el0 cntpct_el0 cntvct_el0",
  "3 3 14 2": "cntp_tval_el0 cntp_ctl_el0 cntp_cval_el0",
  "3 3 14 3": "cntv_tval_el0 cntv_ctl_el0 cntv_cval_el0",
  "3 3 14 15": "- - - - - - - pmccfiltr_el0",
};

/** SYS operations by "op1 CRn CRm" and op2. A name with `!` takes no register. */
const SYSOP_ROWS: readonly (readonly [family: "ic" | "dc" | "at" | "tlbi", row: string, names: string])[] = [
  ["ic", "0 7 1", "ialluis!"],
  ["ic", "0 7 5", "iallu!"],
  ["ic", "3 7 5", "- ivau"],
  ["dc", "0 7 6", "- ivac isw"],
  ["dc", "0 7 10", "- - csw"],
  ["dc", "0 7 14", "- - cisw"],
  ["dc", "3 7 4", "- zva"],
  ["dc", "3 7 10", "- cvac"],
  ["dc", "3 7 11", "- cvau"],
  ["dc", "3 7 12", "- cvap"],
  ["dc", "3 7 14", "- civac"],
  ["at", "0 7 8", "s1e1r s1e1w s1e0r s1e0w"],
  ["at", "0 7 9", "s1e1rp s1e1wp"],
  ["tlbi", "0 8 1", "vmalle1os! vae1os aside1os vaae1os - vale1os - vaale1os"],
  ["tlbi", "0 8 2", "- rvae1is - rvaae1is - rvale1is - rvaale1is"],
  ["tlbi", "0 8 3", "vmalle1is! vae1is aside1is vaae1is - vale1is - vaale1is"],
  ["tlbi", "0 8 5", "- rvae1os - rvaae1os - rvale1os - rvaale1os"],
  ["tlbi", "0 8 6", "- rvae1 - rvaae1 - rvale1 - rvaale1"],
  ["tlbi", "0 8 7", "vmalle1! vae1 aside1 vaae1 - vale1 - vaale1"],
];

/** Names and encodings, both ways. */
export interface Names {
  readonly byCode: ReadonlyMap<number, string>;
  readonly byName: ReadonlyMap<string, number>;
}

function both(entries: readonly (readonly [number, string])[]): Names {
  return { byCode: new Map(entries), byName: new Map(entries.map(([code, name]) => [name, code])) };
}

/** `first` is the code of op2 0. */
function byOp2(first: number, names: string): (readonly [number, string])[] {
  return names.split(" ").flatMap((name, op2) => (name === "-" ? [] : [[first + op2, name] as const]));
}

const code = (op1 = 0, crn = 0, crm = 0): number => (op1 << 11) | (crn << 7) | (crm << 3);

/** Breakpoint and watchpoint registers: four names for each of 16 numbers. */
const DEBUG = Array.from({ length: 16 }, (_, n) => byOp2(code(0, 0, n), `- - - - dbgbvr${n}_el1 dbgbcr${n}_el1 dbgwvr${n}_el1 dbgwcr${n}_el1`)).flat();

/** System registers by `o0 op1 CRn CRm op2` (bits [19:5] of MRS; o0 is op0 - 2). */
export const SYSREGS: Names = both([
  ...Object.entries(SYSREG_ROWS).flatMap(([row, names]) => {
    const [op0 = 0, ...rest] = row.split(" ").map(Number);
    return byOp2(((op0 - 2) << 14) | code(...rest), names);
  }),
  ...DEBUG,
]);

/** SYS operations by `op1 CRn CRm op2`: `dc`, `at`, `ic`, `tlbi` those with a register, `ic!`, `tlbi!` those without. */
export const SYSOPS: Readonly<Record<string, Names>> = Object.fromEntries(
  ["dc", "at", "ic", "ic!", "tlbi", "tlbi!"].map((key) => {
    const rows = SYSOP_ROWS.filter(([family]) => key.startsWith(family));
    const all = rows.flatMap(([, row, names]) => byOp2(code(...row.split(" ").map(Number)), names));
    return [key, both(all.filter(([, name]) => name.endsWith("!") === key.endsWith("!")).map(([n, name]) => [n, name.replace("!", "")]))];
  }),
);
