import type { Form } from "./form.js";
import { FORMS as FP_ARITHMETIC } from "./fp-arithmetic.js";
import { FORMS as FP_COMPARE } from "./fp-compare.js";
import { FORMS as FP_CONVERT } from "./fp-convert.js";
import { FORMS as ACROSS } from "./simd-across.js";
import { FORMS as AES } from "./simd-aes.js";
import { FORMS as COPY } from "./simd-copy.js";
import { FORMS as FLOAT } from "./simd-float.js";
import { FORMS as FLOAT_COMPARE } from "./simd-float-compare.js";
import { FORMS as FLOAT_CONVERT } from "./simd-float-convert.js";
import { FORMS as FLOAT_MISC } from "./simd-float-misc.js";
import { FORMS as IMMEDIATE } from "./simd-immediate.js";
import { FORMS as INDEXED } from "./simd-indexed.js";
import { FORMS as LOAD_STORE } from "./simd-load-store.js";
import { FORMS as PERMUTE } from "./simd-permute.js";
import { FORMS as POLYNOMIAL } from "./simd-polynomial.js";
import { FORMS as SHA } from "./simd-sha.js";
import { FORMS as SHIFT } from "./simd-shift.js";
import { FORMS as STRUCTURES } from "./simd-structures.js";
import { FORMS as THREE_DIFFERENT } from "./simd-three-different.js";
import { FORMS as THREE_SAME } from "./simd-three-same.js";
import { FORMS as TWO_MISC } from "./simd-two-misc.js";

/** Every form of the floating-point and Advanced SIMD groups. */
export const FORMS: readonly Form[] = [
  ...LOAD_STORE,
  ...STRUCTURES,
  ...FP_ARITHMETIC,
  ...FP_COMPARE,
  ...FP_CONVERT,
  ...COPY,
  ...IMMEDIATE,
  ...SHIFT,
  ...THREE_SAME,
  ...THREE_DIFFERENT,
  ...TWO_MISC,
  ...ACROSS,
  ...PERMUTE,
  ...INDEXED,
  ...FLOAT,
  ...FLOAT_COMPARE,
  ...FLOAT_CONVERT,
  ...FLOAT_MISC,
  ...POLYNOMIAL,
  ...AES,
  ...SHA,
];
