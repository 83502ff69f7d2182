import { psciX0, PSCI_FN_MAX } from "./include/asm/psci.js";
import {
  SERVICE_REVISION,
  SMCCC,
  SMCCC_64BIT,
  SMCCC_NOT_REQUIRED,
  SMCCC_NOT_SUPPORTED,
  SMCCC_OWNER,
  SMCCC_RESERVED_END,
  SMCCC_UNKNOWN_FUNCTION,
  SMCCC_VERSION_1_2,
  smcccOwner,
  SSSC_NUM_FUNCTIONS,
  SSSC_SMCCC_UID,
  VPSCI_NR_FUNCS,
  XEN_SMCCC_UID,
} from "./include/asm/smccc.js";
import { doVpsci01Call, doVpsci02Call, type VpsciHost } from "./vpsci.js";

/** x0 to x3 of the caller. */
export interface SmcccRegisters {
  x(n: number): bigint;
  setX(n: number, value: bigint): void;
}

/**
 * ARCH_FEATURES' answers about the workarounds, by function id. The processor advertises CSV2 and ECBHB and does not speculate on stores, so
 * no firmware call is needed: "not supported" for the first and third, "not required" for the second.
 */
export const WORKAROUND_FEATURES: Readonly<Record<number, number>> = {
  [SMCCC.ARCH_WORKAROUND_1]: SMCCC_NOT_SUPPORTED,
  [SMCCC.ARCH_WORKAROUND_2]: SMCCC_NOT_REQUIRED,
  [SMCCC.ARCH_WORKAROUND_3]: SMCCC_NOT_SUPPORTED,
};

const isWorkaround = (fid: number): boolean => fid in WORKAROUND_FEATURES;

const argument = (regs: SmcccRegisters, n: number): bigint => regs.x(n);
const functionId = (regs: SmcccRegisters, n: number): number => Number(BigInt.asUintN(32, regs.x(n)));

function fill(regs: SmcccRegisters, values: readonly number[]): true {
  values.forEach((value, n) => regs.setX(n, psciX0(value)));
  return true;
}

/** Owner 0, Arm architecture calls. The workarounds themselves change no register. */
function handleArch(regs: SmcccRegisters, fid: number): boolean {
  if (fid === SMCCC.VERSION) return fill(regs, [SMCCC_VERSION_1_2]);
  if (fid === SMCCC.ARCH_FEATURES) return fill(regs, [WORKAROUND_FEATURES[functionId(regs, 1)] ?? SMCCC_NOT_SUPPORTED]);
  return isWorkaround(fid);
}

/** Owner 5: Xen names itself. */
function handleHypervisor(regs: SmcccRegisters, fid: number): boolean {
  if (fid === SMCCC.HYP_CALL_COUNT) return fill(regs, [SSSC_NUM_FUNCTIONS]);
  if (fid === SMCCC.HYP_CALL_UID) return fill(regs, XEN_SMCCC_UID);
  if (fid === SMCCC.HYP_REVISION) return fill(regs, [SERVICE_REVISION.major, SERVICE_REVISION.minor]);
  return false;
}

/** Owner 4: PSCI, then the service's own questions. */
function handleStandard(host: VpsciHost, regs: SmcccRegisters, fid: number): boolean {
  if ((fid & 0xffff) <= PSCI_FN_MAX) {
    const result = doVpsci02Call(host, fid, [argument(regs, 1), argument(regs, 2), argument(regs, 3)]);
    return result !== undefined && fill(regs, [result]);
  }
  if (fid === SMCCC.STD_CALL_COUNT) return fill(regs, [SSSC_NUM_FUNCTIONS + VPSCI_NR_FUNCS]);
  if (fid === SMCCC.STD_CALL_UID) return fill(regs, SSSC_SMCCC_UID);
  if (fid === SMCCC.STD_REVISION) return fill(regs, [SERVICE_REVISION.major, SERVICE_REVISION.minor]);
  return false;
}

/** Ids from before SMCCC: PSCI 0.1. */
function handleExisting(host: VpsciHost, regs: SmcccRegisters, fid: number): boolean {
  const result = doVpsci01Call(host, fid, [argument(regs, 1), argument(regs, 2), argument(regs, 3)]);
  return result !== undefined && fill(regs, [result]);
}

function dispatch(host: VpsciHost, regs: SmcccRegisters, fid: number): boolean {
  if ((fid & SMCCC_64BIT) !== 0 && !host.is64bit) return false;
  if (fid <= SMCCC_RESERVED_END) return handleExisting(host, regs, fid);
  const owner = smcccOwner(fid);
  if (owner === SMCCC_OWNER.ARCH) return handleArch(regs, fid);
  if (owner === SMCCC_OWNER.STANDARD) return handleStandard(host, regs, fid);
  if (owner === SMCCC_OWNER.HYPERVISOR) return handleHypervisor(regs, fid);
  return false;
}

/** An SMC or HVC with immediate 0 (vsmccc_handle_call): a function that nobody has answers -1. Returns false for that. */
export function handleSmccc(host: VpsciHost, regs: SmcccRegisters): boolean {
  if (dispatch(host, regs, functionId(regs, 0))) return true;
  regs.setX(0, SMCCC_UNKNOWN_FUNCTION);
  return false;
}

/** Xen answers the workarounds called by HVC in its exception entry already: x0 and x1 come back as 0, and nothing is counted. */
export function isWorkaroundFastPath(regs: SmcccRegisters): boolean {
  return isWorkaround(functionId(regs, 0));
}
