import {
  ERRNO,
  PAGE_SIZE,
  XEN_CAPABILITIES_INFO_SIZE,
  XEN_CHANGESET_INFO_SIZE,
  XEN_COMMANDLINE_SIZE,
  XEN_COMPILE_INFO_SIZES,
  XEN_EXTRAVERSION_SIZE,
  XEN_FEATURE_INFO,
  XEN_VARBUF,
  XENFEAT,
  XENVER,
} from "xen-public";
import type { Domain } from "../domain.js";
import type { XenBuildInfo } from "../version.js";
import { copyBytesOut, copyIn, copyOut, gvaArg, type Hypercall, u32Arg } from "./context.js";

/** What a guest without privilege reads instead of a string it may not see. */
const DENIED = "<denied>";

const FEATURES: readonly number[] = [
  XENFEAT.writable_page_tables,
  XENFEAT.auto_translated_physmap,
  XENFEAT.memory_op_vnode_supported,
  XENFEAT.ARM_SMCCC_supported,
  XENFEAT.not_direct_mapped,
  XENFEAT.runstate_phys_area,
];

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0) & 0x7f);
}

/** Strings one after the other, each in a field of `sizes` bytes and cut so that it ends in a zero. */
function fields(texts: readonly string[], sizes: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(sizes.reduce((a, b) => a + b, 0));
  let at = 0;
  texts.forEach((text, i) => {
    bytes.set(ascii(text).subarray(0, sizes[i]! - 1), at);
    at += sizes[i]!;
  });
  return bytes;
}

function features(d: Domain): number {
  return FEATURES.concat(d.isHardwareDomain ? [XENFEAT.dom0] : []).reduce((map, bit) => map | (1 << bit), 0) >>> 0;
}

/** The answers that are a block of bytes. */
const BLOCKS: Readonly<Record<number, (d: Domain, build: XenBuildInfo) => Uint8Array>> = {
  [XENVER.extraversion]: (_, build) => fields([build.extra], [XEN_EXTRAVERSION_SIZE]),
  [XENVER.compile_info]: (_, build) => fields([build.compiler, build.compileBy, build.compileDomain, build.compileDate], XEN_COMPILE_INFO_SIZES),
  [XENVER.capabilities]: (_, build) => fields([build.capabilities], [XEN_CAPABILITIES_INFO_SIZE]),
  [XENVER.changeset]: (_, build) => fields([build.changeset], [XEN_CHANGESET_INFO_SIZE]),
  [XENVER.platform_parameters]: () => new Uint8Array(8),
  [XENVER.guest_handle]: (d) => d.handle,
  [XENVER.commandline]: (d, build) => fields([d.isPrivileged ? build.commandline : DENIED], [XEN_COMMANDLINE_SIZE]),
};

/** The newer calls of variable length: u32 length, then the string without a zero. */
const VARBUFS: Readonly<Record<number, (d: Domain, build: XenBuildInfo) => string>> = {
  [XENVER.extraversion2]: (_, build) => build.extra,
  [XENVER.capabilities2]: (_, build) => build.capabilities,
  [XENVER.changeset2]: (_, build) => build.changeset,
  [XENVER.commandline2]: (d, build) => (d.isPrivileged ? build.commandline : DENIED),
};

function varbuf(call: Hypercall, content: Uint8Array): number {
  const gva = gvaArg(call, 1);
  if (gva === 0n) return content.length;
  const header = copyIn(call.v, gva, XEN_VARBUF);
  if (header === undefined) return -ERRNO.EFAULT;
  if (header.len === 0) return -ERRNO.EINVAL;
  if (header.len < content.length) return -ERRNO.ENOBUFS;
  if (!copyBytesOut(call.v, gva + BigInt(XEN_VARBUF.size), content)) return -ERRNO.EFAULT;
  return content.length;
}

/** xen_version (17). */
export function doXenVersion(call: Hypercall): number {
  const { v } = call;
  const build = v.domain.xen.build;
  const command = u32Arg(call, 0);
  const block = BLOCKS[command];
  if (block !== undefined) return copyBytesOut(v, gvaArg(call, 1), block(v.domain, build)) ? 0 : -ERRNO.EFAULT;
  const text = VARBUFS[command];
  if (text !== undefined) return varbuf(call, ascii(text(v.domain, build)));
  switch (command) {
    case XENVER.version:
      return (build.major << 16) | build.minor;
    case XENVER.pagesize:
      return PAGE_SIZE;
    case XENVER.build_id:
      if (!v.domain.isPrivileged) return -ERRNO.EPERM;
      return build.buildId.length === 0 ? -ERRNO.ENODATA : varbuf(call, hex(build.buildId));
    case XENVER.get_features: {
      const info = copyIn(v, gvaArg(call, 1), XEN_FEATURE_INFO);
      if (info === undefined) return -ERRNO.EFAULT;
      if (info.submap_idx !== 0) return -ERRNO.EINVAL;
      return copyOut(v, gvaArg(call, 1), XEN_FEATURE_INFO, { submap: features(v.domain) });
    }
    default:
      return -ERRNO.ENOSYS;
  }
}

function hex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}
