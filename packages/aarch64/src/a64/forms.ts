import { FORMS as BRANCH } from "./branch.js";
import { FORMS as DATA_IMMEDIATE } from "./data-immediate.js";
import { FORMS as DATA_REGISTER } from "./data-register.js";
import { FORMS as EXCLUSIVE } from "./exclusive.js";
import type { Form } from "./form.js";
import { FORMS as LOAD_STORE } from "./load-store.js";
import { FORMS as SIMD } from "./simd-forms.js";
import { FORMS as SYSTEM } from "./system.js";

/** Every form that the processor implements. Where two forms match a word, the first whose `when` allows it is meant. */
export const ALL_FORMS: readonly Form[] = [...DATA_IMMEDIATE, ...DATA_REGISTER, ...LOAD_STORE, ...EXCLUSIVE, ...BRANCH, ...SYSTEM, ...SIMD];
