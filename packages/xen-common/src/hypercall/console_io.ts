import { CONSOLEIO, ERRNO } from "xen-public";
import { gvaArg, type Hypercall, spend, u32Arg } from "./context.js";

const CHUNK = 128;

/** console_io (18): command, count, buffer. Guests may write, as in a debug build of Xen, and read nothing. */
export function doConsoleIo(call: Hypercall): number {
  const { v } = call;
  if (u32Arg(call, 0) !== CONSOLEIO.write) return u32Arg(call, 0) === CONSOLEIO.read ? -ERRNO.EPERM : -ERRNO.ENOSYS;
  const count = u32Arg(call, 1);
  if (count > 0x7fff_ffff) return -ERRNO.EINVAL;
  for (let done = 0; done < count; done += CHUNK) {
    if (!spend(call, 16)) return -ERRNO.E2BIG;
    const bytes = new Uint8Array(Math.min(CHUNK, count - done));
    if (!v.domain.xen.arch.copyFromGuest(v, BigInt.asUintN(64, gvaArg(call, 2) + BigInt(done)), bytes)) return -ERRNO.EFAULT;
    v.domain.xen.console.guestWrite(v.domain.domainId, String.fromCharCode(...bytes));
  }
  return 0;
}
