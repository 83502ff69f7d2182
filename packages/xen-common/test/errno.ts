import { XenError } from "../src/error.js";

/** The errno with which `call` is refused, or 0. */
export function errnoOf(call: () => unknown): number {
  try {
    call();
    return 0;
  } catch (error) {
    if (error instanceof XenError) return error.errno;
    throw error;
  }
}
