import { FORMS as BRANCH } from "./branch.js";
import { FORMS as DATA_IMMEDIATE } from "./data-immediate.js";
import { FORMS as DATA_REGISTER } from "./data-register.js";
import { FORMS as EXCLUSIVE } from "./exclusive.js";
import type { Form } from "./form.js";
import { FORMS as LOAD_STORE } from "./load-store.js";
import { FORMS as SIMD_ACROSS } from "./simd-across.js";
import { FORMS as SIMD_COPY } from "./simd-copy.js";
import { FORMS as SIMD_IMMEDIATE } from "./simd-immediate.js";
import { FORMS as SIMD_INDEXED } from "./simd-indexed.js";
import { FORMS as SIMD_LOAD_STORE } from "./simd-load-store.js";
import { FORMS as SIMD_PERMUTE } from "./simd-permute.js";
import { FORMS as SIMD_SHIFT } from "./simd-shift.js";
import { FORMS as SIMD_STRUCTURES } from "./simd-structures.js";
import { FORMS as SIMD_THREE_DIFFERENT } from "./simd-three-different.js";
import { FORMS as SIMD_THREE_SAME } from "./simd-three-same.js";
import { FORMS as SIMD_TWO_MISC } from "./simd-two-misc.js";
import { FORMS as SYSTEM } from "./system.js";

/** Every form that the processor implements. Where two forms match a word, the first whose `when` allows it is meant. */
export const ALL_FORMS: readonly Form[] = [
  ...DATA_IMMEDIATE,
  ...DATA_REGISTER,
  ...LOAD_STORE,
  ...EXCLUSIVE,
  ...BRANCH,
  ...SYSTEM,
  ...SIMD_ACROSS,
  ...SIMD_COPY,
  ...SIMD_IMMEDIATE,
  ...SIMD_INDEXED,
  ...SIMD_LOAD_STORE,
  ...SIMD_PERMUTE,
  ...SIMD_SHIFT,
  ...SIMD_STRUCTURES,
  ...SIMD_THREE_DIFFERENT,
  ...SIMD_THREE_SAME,
  ...SIMD_TWO_MISC,
];
