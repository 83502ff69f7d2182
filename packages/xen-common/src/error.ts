import { errnoName } from "xen-public";

/** A refused domctl or sysctl. `errno` is Xen's positive number. */
export class XenError extends Error {
  override readonly name = "XenError";
  readonly errno: number;
  constructor(operation: string, errno: number) {
    super(`${operation}: ${errnoName(errno)}`);
    this.errno = Math.abs(errno);
  }
}

/** Throws where a call returned a negative errno; passes everything else on. */
export function check(operation: string, rc: number): number {
  if (rc < 0) throw new XenError(operation, -rc);
  return rc;
}
