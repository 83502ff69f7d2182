import type { MakeOperand } from "./operand.js";
import { INTEGER_OPERANDS } from "./operands-integer.js";
import { SIMD_OPERANDS } from "./operands-simd.js";
import { SYSTEM_OPERANDS } from "./operands-system.js";

/** Operands that the template language cannot say, by name. */
export const OPERANDS: Readonly<Record<string, MakeOperand>> = { ...INTEGER_OPERANDS, ...SIMD_OPERANDS, ...SYSTEM_OPERANDS };
