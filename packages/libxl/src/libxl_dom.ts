import {
  ERRNO,
  GUEST,
  HVM_CALLBACK_IRQ_PPI31,
  HVM_PARAM,
  MAGIC_PAGE,
  NR_MAGIC_PAGES,
  PAGE_SHIFT,
  PAGE_SIZE,
  PSR_GUEST64_INIT,
  SCTLR_GUEST_INIT,
} from "xen-public";
import { LibxlError } from "./include/libxl.js";
import type { Ring } from "./libxl_create_nodes.js";
import { type GuestTree, guestDeviceTree, RNG_SEED_SIZE } from "./libxl_arm.js";
import { setVcpuaffinity } from "./libxl_domain.js";
import { call, type Ctx, fail, isErrno, reason } from "./libxl_internal.js";
import { MAXMEM_SLACK_KB } from "./libxl_mem.js";
import type { DomainBuildInfo, DomainConfig } from "./libxl_types.js";
import { type Placement, placeSegments } from "./xg_dom_arm.js";
import { type Arm64Image, isGzip, probeArm64Image } from "./xg_dom_armzimageloader.js";
import type { VcpuContext } from "./xenctrl.js";

/** Bytes that are written to guest memory at once: the host need not hold a whole kernel beside the guest. */
const WRITE_BYTES = 1 << 20;
/** Kernels and ramdisks above this are refused while they are unpacked. */
const MAX_UNPACKED = 0x4000_0000;

/** A file of the guest's: its bytes, or the first of them and the path at which the host reads it by itself. */
interface GuestFile {
  readonly size: number;
  readonly head: Uint8Array;
  readonly path?: string;
}

/** The files that a domain starts from, checked. */
export interface GuestFiles {
  readonly kernel: GuestFile;
  readonly image: Arm64Image;
  readonly ramdisk: GuestFile | undefined;
}

const inMemory = (bytes: Uint8Array): GuestFile => ({ size: bytes.length, head: bytes });

/** Looks at kernel and ramdisk, unpacks a gzip'd kernel and checks it (libxl__build_dom's parse step). Rejects with FAIL. */
export async function loadGuestFiles(ctx: Ctx, info: DomainBuildInfo): Promise<GuestFiles> {
  if (info.kernel === undefined || info.kernel === "") throw fail(ctx, "INVAL", 'the config has no kernel: add kernel = "..."');
  const name = info.kernel;
  const [file, ramdisk] = await Promise.all([find(ctx, "kernel", name), info.ramdisk ? find(ctx, "ramdisk", info.ramdisk) : undefined]);
  const kernel = isGzip(file.head) ? inMemory(await unpack(ctx, name, file.path === undefined ? file.head : await read(ctx, "kernel", name))) : file;
  const image = probe(ctx, kernel, name);
  if (ramdisk?.size === 0) throw fail(ctx, "FAIL", `ramdisk ${info.ramdisk ?? ""}: the file is empty`);
  return { kernel, image, ramdisk };
}

/** Leaves a file where it is if the host can read it. */
async function find(ctx: Ctx, what: string, name: string): Promise<GuestFile> {
  const peeked = await reading(ctx, what, name, ctx.peekFile(name));
  return peeked === undefined ? inMemory(await read(ctx, what, name)) : { ...peeked, path: name };
}

const read = (ctx: Ctx, what: string, name: string): Promise<Uint8Array> => reading(ctx, what, name, ctx.readFile(name));

async function reading<T>(ctx: Ctx, what: string, name: string, promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (cause) {
    throw fail(ctx, "FAIL", `${what} ${name}: cannot be read: ${reason(cause)}`, { cause });
  }
}

async function unpack(ctx: Ctx, name: string, file: Uint8Array): Promise<Uint8Array> {
  try {
    return await ctx.gunzip(file, MAX_UNPACKED);
  } catch (cause) {
    throw fail(ctx, "FAIL", `kernel ${name}: it begins as gzip but cannot be unpacked, is it truncated? (${reason(cause)})`, { cause });
  }
}

function probe(ctx: Ctx, { head, size }: GuestFile, name: string): Arm64Image {
  try {
    return probeArm64Image(head, name, size);
  } catch (cause) {
    throw fail(ctx, "FAIL", reason(cause), { cause });
  }
}

/** libxl__build_pre: vCPUs, affinity and the memory limit. */
export async function buildPre(ctx: Ctx, domid: number, info: DomainBuildInfo): Promise<void> {
  const { ctrl } = ctx;
  const vcpus = info.max_vcpus ?? 1;
  await call(ctx, `give the domain ${vcpus} vCPUs`, domid, ctrl.maxVcpus(domid, vcpus));
  for (let vcpu = 0; vcpu < vcpus; vcpu++) {
    const hard = info.vcpu_hard_affinity?.[vcpu];
    const soft = info.vcpu_soft_affinity?.[vcpu];
    if (hard === undefined && soft === undefined) continue;
    await setVcpuaffinity(ctx, domid, vcpu, { ...(hard && { hard }), ...(soft && { soft }) });
  }
  await call(ctx, "set the memory limit", domid, ctrl.setMaxMem(domid, (info.max_memkb ?? 0) + MAXMEM_SLACK_KB));
}

/** What later steps need of a built domain. */
export interface BuiltDomain {
  readonly console: Ring;
  readonly store: Ring;
  readonly placement: Placement;
}

/** libxl__build_dom: memory, HVM parameters, kernel, ramdisk, device tree and vCPU 0. */
export async function buildDom(ctx: Ctx, domid: number, config: DomainConfig, files: GuestFiles): Promise<BuiltDomain> {
  const { ctrl } = ctx;
  // All that the guest may ever have: its balloon leaves it the target. What a guest never touches costs the host nothing.
  const ramSize = Math.floor((config.b_info.max_memkb ?? 0) / 4) * PAGE_SIZE;
  const tree = await describe(ctx, domid, config, ramSize);
  const { placement, dtb } = place(ctx, domid, tree, files);
  const at = (address: number | undefined): string => (address === undefined ? "nowhere" : `at 0x${address.toString(16)}`);
  ctx.log("verbose", `kernel ${at(placement.kernel)}, ramdisk ${at(placement.initrd?.start)}, device tree ${at(placement.dtb)}`, domid);

  await populate(ctx, domid, GUEST.RAM0_BASE >> PAGE_SHIFT, ramSize / PAGE_SIZE);
  const magic = GUEST.MAGIC_BASE >> PAGE_SHIFT;
  await populate(ctx, domid, magic, NR_MAGIC_PAGES);
  const ring = async (page: keyof typeof MAGIC_PAGE, what: string): Promise<Ring> => ({
    gfn: magic + MAGIC_PAGE[page],
    port: await call(ctx, `make the event channel of the ${what}`, domid, ctrl.allocUnboundPort(domid, 0)),
  });
  // The store's is first: it takes Linux's first event channel interrupt, number 0, which the driver of the console would read as "none" and poll.
  const [store, console] = await Promise.all([ring("xenstore", "store"), ring("console", "console")]);

  const params: readonly (readonly [index: number, value: bigint])[] = [
    [HVM_PARAM.CALLBACK_IRQ, HVM_CALLBACK_IRQ_PPI31],
    [HVM_PARAM.CONSOLE_PFN, BigInt(console.gfn)],
    [HVM_PARAM.CONSOLE_EVTCHN, BigInt(console.port)],
    [HVM_PARAM.STORE_PFN, BigInt(store.gfn)],
    [HVM_PARAM.STORE_EVTCHN, BigInt(store.port)],
    [HVM_PARAM.MONITOR_RING_PFN, BigInt(magic + MAGIC_PAGE.memaccess)],
  ];
  await Promise.all(params.map(([index, value]) => call(ctx, `set HVM parameter ${index}`, domid, ctrl.setHvmParam(domid, index, value))));

  await write(ctx, domid, "kernel", placement.kernel, files.kernel);
  if (placement.initrd !== undefined && files.ramdisk !== undefined) await write(ctx, domid, "ramdisk", placement.initrd.start, files.ramdisk);
  await write(ctx, domid, "device tree", placement.dtb, inMemory(dtb));
  await call(ctx, "set vCPU 0's registers", domid, ctrl.setVcpuContext(domid, 0, initialContext(placement)));
  return { console, store, placement };
}

async function describe(ctx: Ctx, domid: number, { b_info }: DomainConfig, ramSize: number): Promise<GuestTree> {
  const [domains, version] = await Promise.all([
    call(ctx, "look at the new domain", domid, ctx.ctrl.getDomainInfoList(domid, 1)),
    call(ctx, "ask for Xen's version", domid, ctx.ctrl.version()),
  ]);
  return {
    vcpus: b_info.max_vcpus ?? 1,
    ramSize,
    gic: b_info.arch_arm?.gic_version === "v2" ? "v2" : "v3",
    xenVersion: `${version.major}.${version.minor}`,
    vuart: b_info.arch_arm?.vuart === "sbsa_uart",
    gpaddrBits: domains[0]?.gpaddrBits ?? 40,
    cmdline: b_info.cmdline,
    rngSeed: ctx.randomBytes(RNG_SEED_SIZE),
  };
}

/** The tree's size does not depend on the addresses in it: it is written once to measure and once with the ramdisk's place. */
function place(ctx: Ctx, domid: number, tree: GuestTree, { image, ramdisk }: GuestFiles): { placement: Placement; dtb: Uint8Array } {
  const measured = guestDeviceTree({ ...tree, initrd: ramdisk && { start: 0, end: 0 } });
  try {
    const placement = placeSegments({ ramSize: tree.ramSize, kernel: image, initrdSize: ramdisk?.size, dtbSize: measured.length });
    return { placement, dtb: guestDeviceTree({ ...tree, initrd: placement.initrd }) };
  } catch (error) {
    if (error instanceof LibxlError) throw fail(ctx, "FAIL", error.message, { cause: error, domid });
    throw error;
  }
}

async function populate(ctx: Ctx, domid: number, gfn: number, pages: number): Promise<void> {
  try {
    await ctx.ctrl.populatePhysmap(domid, gfn, pages);
  } catch (cause) {
    const mib = (pages * PAGE_SIZE) / 0x10_0000;
    if (isErrno(cause, ERRNO.ENOMEM))
      throw fail(ctx, "NOMEM", `the host has no ${mib} MiB left for the guest: make memory smaller or destroy a domain`, { cause, domid });
    throw fail(ctx, "FAIL", `cannot give the guest ${mib} MiB at gfn 0x${gfn.toString(16)}: ${reason(cause)}`, { cause, domid });
  }
}

async function write(ctx: Ctx, domid: number, what: string, ipa: number, { size, head, path }: GuestFile): Promise<void> {
  const where = `load the ${what} (${size} bytes) at 0x${ipa.toString(16)}`;
  if (path !== undefined) return call(ctx, where, domid, writeFile(ctx, domid, ipa, path, size));
  for (let at = 0; at < size; at += WRITE_BYTES) {
    await call(ctx, where, domid, ctx.ctrl.writeGuestMemory(domid, ipa + at, head.subarray(at, at + WRITE_BYTES)));
  }
}

async function writeFile({ ctrl }: Ctx, domid: number, ipa: number, path: string, size: number): Promise<void> {
  const { resolve } = await import("node:path");
  await ctrl.writeGuestFile?.(domid, ipa, resolve(path), size);
}

/** vCPU 0 as the arm64 boot protocol wants it: x0 is the device tree, all else zero (Documentation/arch/arm64/booting.rst). */
export function initialContext({ kernel, dtb }: Placement): VcpuContext {
  return {
    isOnline: true,
    pc: BigInt(kernel),
    pstate: BigInt(PSR_GUEST64_INIT),
    x: [BigInt(dtb), ...Array.from({ length: 30 }, () => 0n)],
    spEl0: 0n,
    spEl1: 0n,
    elrEl1: 0n,
    spsrEl1: 0n,
    sctlr: BigInt(SCTLR_GUEST_INIT),
    ttbr0: 0n,
    ttbr1: 0n,
    ttbcr: 0n,
  };
}
