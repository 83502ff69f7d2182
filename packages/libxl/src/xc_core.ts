import { GUEST, PAGE_SIZE, XEN_INVALID_MAX_VCPU_ID } from "xen-public";
import { domainInfo } from "./libxl_domain.js";
import { call, type Ctx, fail, reason } from "./libxl_internal.js";
import { retrieveDomainConfiguration } from "./libxl_json.js";
import type { VcpuContext } from "./xenctrl.js";

/** Where a core goes; a `FileHandle` of `node:fs/promises` is one. What is never written reads as zeros. */
export interface CoreFile {
  truncate(size: number): Promise<void>;
  write(bytes: Uint8Array, offset: number, length: number, position: number): Promise<unknown>;
}

const ELF = { header: 64, programHeader: 56, ET_CORE: 4, EM_AARCH64: 183, PT_LOAD: 1, PT_NOTE: 4, RWX: 7 } as const;
/** struct elf_prstatus of arm64 Linux: signal 0, parent's and own ids, times, then x0 to x30, sp, pc and pstate. */
const PRSTATUS = { type: 1, size: 392, pid: 32, registers: 112 } as const;
/** A note's header, its name "CORE" and its contents. */
const NOTE_SIZE: number = 12 + 8 + PRSTATUS.size;
const CHUNK: number = 4 * 1024 * 1024;

/**
 * Writes a domain's memory and registers as an ELF core (xc_domain_dumpcore): a PT_NOTE with one NT_PRSTATUS a vCPU and a PT_LOAD of
 * the RAM at its guest physical address, so that gdb and readelf read it (Xen's own cores have sections that only its tools know).
 * The domain stands still meanwhile. Pages that the guest has given away and pages of zeros become holes.
 */
export async function domainCoreDump(ctx: Ctx, domid: number, file: CoreFile): Promise<void> {
  const { vcpu_max_id } = await domainInfo(ctx, domid);
  if (domid === 0) throw fail(ctx, "INVAL", "domain 0 is the host itself: there is no core to dump", { domid });
  const { b_info } = await retrieveDomainConfiguration(ctx, domid);
  const ramSize = Math.floor((b_info.max_memkb ?? 0) / 4) * PAGE_SIZE;
  await call(ctx, "pause the domain", domid, ctx.ctrl.pauseDomain(domid));
  try {
    const contexts = await readContexts(ctx, domid, vcpu_max_id === XEN_INVALID_MAX_VCPU_ID ? 0 : vcpu_max_id + 1);
    const head = coreHead(contexts, ramSize);
    await file.truncate(head.length + ramSize);
    await file.write(head, 0, head.length, 0);
    for (let at = 0; at < ramSize; at += CHUNK) {
      const bytes = await readMemory(ctx, domid, GUEST.RAM0_BASE + at, Math.min(CHUNK, ramSize - at));
      if (bytes.some((byte) => byte !== 0)) await file.write(bytes, 0, bytes.length, head.length + at);
    }
  } catch (cause) {
    throw fail(ctx, "FAIL", `cannot dump the core: ${reason(cause)}`, { cause, domid });
  } finally {
    await ctx.ctrl.unpauseDomain(domid).catch((error: unknown) => ctx.log("warn", `cannot unpause the domain: ${reason(error)}`, domid));
  }
}

/** Registers of the vCPUs that have any. */
async function readContexts(ctx: Ctx, domid: number, vcpus: number): Promise<{ vcpu: number; context: VcpuContext }[]> {
  const all = Array.from({ length: vcpus }, (_, vcpu) =>
    ctx.ctrl.getVcpuContext(domid, vcpu).then(
      (context) => ({ vcpu, context }),
      () => undefined,
    ),
  );
  return (await Promise.all(all)).filter((one) => one !== undefined);
}

/** Guest memory, with zeros for pages that are not there. */
async function readMemory(ctx: Ctx, domid: number, ipa: number, length: number): Promise<Uint8Array> {
  const whole = await ctx.ctrl.readGuestMemory(domid, ipa, length).catch(() => undefined);
  if (whole !== undefined) return whole;
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += PAGE_SIZE) {
    const page = await ctx.ctrl.readGuestMemory(domid, ipa + at, PAGE_SIZE).catch(() => undefined);
    if (page !== undefined) bytes.set(page, at);
  }
  return bytes;
}

/** All that is before the memory: ELF header, program headers, notes, padded to a page. */
function coreHead(contexts: readonly { readonly vcpu: number; readonly context: VcpuContext }[], ramSize: number): Uint8Array {
  const notesAt = ELF.header + 2 * ELF.programHeader;
  const notesSize = contexts.length * NOTE_SIZE;
  const size = Math.ceil((notesAt + notesSize) / PAGE_SIZE) * PAGE_SIZE;
  const head = new Uint8Array(size);
  const view = new DataView(head.buffer);
  const u64 = (at: number, value: number): void => view.setBigUint64(at, BigInt(value), true);

  // e_ident: magic, 64-bit, little-endian, version 1.
  head.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, ELF.ET_CORE, true);
  view.setUint16(18, ELF.EM_AARCH64, true);
  view.setUint32(20, 1, true);
  u64(32, ELF.header);
  view.setUint16(52, ELF.header, true);
  view.setUint16(54, ELF.programHeader, true);
  view.setUint16(56, 2, true);

  const programHeader = (index: number, type: number, [offset, address, bytes]: readonly [number, number, number]): void => {
    const at = ELF.header + index * ELF.programHeader;
    view.setUint32(at, type, true);
    view.setUint32(at + 4, type === ELF.PT_LOAD ? ELF.RWX : 0, true);
    u64(at + 8, offset);
    u64(at + 16, address);
    u64(at + 24, address);
    u64(at + 32, bytes);
    u64(at + 40, bytes);
    u64(at + 48, type === ELF.PT_LOAD ? PAGE_SIZE : 4);
  };
  programHeader(0, ELF.PT_NOTE, [notesAt, 0, notesSize]);
  programHeader(1, ELF.PT_LOAD, [size, GUEST.RAM0_BASE, ramSize]);
  for (const [index, { vcpu, context }] of contexts.entries()) writeNote(view, notesAt + index * NOTE_SIZE, vcpu, context);
  return head;
}

/** NT_PRSTATUS; the vCPU's number plus one stands for the thread's id. */
function writeNote(view: DataView, at: number, vcpu: number, context: VcpuContext): void {
  view.setUint32(at, 5, true);
  view.setUint32(at + 4, PRSTATUS.size, true);
  view.setUint32(at + 8, PRSTATUS.type, true);
  new Uint8Array(view.buffer).set([0x43, 0x4f, 0x52, 0x45], at + 12);
  const status = at + 20;
  view.setUint32(status + PRSTATUS.pid, vcpu + 1, true);
  // Bit 0 of PSTATE is the stack pointer in use at EL1; EL0 always has its own.
  const sp = (context.pstate & 1n) === 1n ? context.spEl1 : context.spEl0;
  const registers = [...Array.from({ length: 31 }, (_, n) => context.x[n] ?? 0n), sp, context.pc, context.pstate];
  for (const [n, value] of registers.entries()) view.setBigUint64(status + PRSTATUS.registers + 8 * n, value, true);
}
