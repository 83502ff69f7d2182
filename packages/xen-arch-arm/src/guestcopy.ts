import type { Processor } from "aarch64";
import { PAGE_SHIFT, PAGE_SIZE } from "./p2m.js";

/** Calls `chunk` for each page that [address, address + length) touches. False at the first address that `toOffset` does not know. */
function eachPage(
  start: bigint,
  length: number,
  toOffset: (address: bigint) => number | undefined,
  chunk: (hostOffset: number, at: number, bytes: number) => void,
): boolean {
  for (let at = 0; at < length; ) {
    const address = start + BigInt(at);
    const offset = toOffset(address);
    if (offset === undefined) return false;
    const bytes = Math.min(length - at, PAGE_SIZE - Number(address & BigInt(PAGE_SIZE - 1)));
    chunk(offset, at, bytes);
    at += bytes;
  }
  return true;
}

/** Host offset of an IPA, or undefined where no page is mapped. */
export function hostOffset(processor: Processor, ipa: number): number | undefined {
  const page = processor.lookupPage(Math.floor(ipa / PAGE_SIZE));
  return page === undefined ? undefined : page + (ipa % PAGE_SIZE);
}

/** Calls `chunk` for each piece of [ipa, ipa + length) that lies in one piece in the host. False at the first address that is not mapped. */
function eachRun(processor: Processor, ipa: number, length: number, chunk: (hostOffset: number, at: number, bytes: number) => void): boolean {
  for (let at = 0; at < length; ) {
    const offset = hostOffset(processor, ipa + at);
    if (offset === undefined) return false;
    let bytes = PAGE_SIZE - ((ipa + at) % PAGE_SIZE);
    while (at + bytes < length && hostOffset(processor, ipa + at + bytes) === offset + bytes) bytes += PAGE_SIZE;
    bytes = Math.min(bytes, length - at);
    chunk(offset, at, bytes);
    at += bytes;
  }
  return true;
}

/** Copies out of guest physical memory; false where a page is not mapped, with what comes before it copied. */
export function readIpa(processor: Processor, ipa: number, bytes: Uint8Array): boolean {
  const memory = new Uint8Array(processor.memory.buffer);
  return eachRun(processor, ipa, bytes.length, (offset, at, n) => bytes.set(memory.subarray(offset, offset + n), at));
}

/** Copies into guest physical memory. */
export function writeIpa(processor: Processor, ipa: number, bytes: Uint8Array): boolean {
  const memory = new Uint8Array(processor.memory.buffer);
  return eachRun(processor, ipa, bytes.length, (offset, at, n) => memory.set(bytes.subarray(at, at + n), offset));
}

function vaToOffset(processor: Processor, vcpu: number, access: "read" | "write"): (va: bigint) => number | undefined {
  return (va) => {
    const ipa = processor.translate(vcpu, BigInt.asUintN(64, va), access);
    return ipa === undefined || ipa >= 2 ** (20 + PAGE_SHIFT) ? undefined : hostOffset(processor, ipa);
  };
}

/** Copies from a virtual address of the vCPU (raw_copy_from_guest): false for -EFAULT. */
export function copyFromGuestVa(processor: Processor, vcpu: number, va: bigint, bytes: Uint8Array): boolean {
  const memory = new Uint8Array(processor.memory.buffer);
  return eachPage(va, bytes.length, vaToOffset(processor, vcpu, "read"), (offset, at, n) => bytes.set(memory.subarray(offset, offset + n), at));
}

/** Copies to a virtual address of the vCPU (raw_copy_to_guest): false for -EFAULT. */
export function copyToGuestVa(processor: Processor, vcpu: number, va: bigint, bytes: Uint8Array): boolean {
  const memory = new Uint8Array(processor.memory.buffer);
  return eachPage(va, bytes.length, vaToOffset(processor, vcpu, "write"), (offset, at, n) => memory.set(bytes.subarray(at, at + n), offset));
}
