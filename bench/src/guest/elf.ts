/** A static executable: code at `base`, which is also the entry, and zeroed memory at `scratch`. */
export interface StaticProgram {
  readonly code: Uint8Array;
  readonly base: number;
  readonly scratch: number;
  readonly scratchBytes: number;
}

const EHDR = 64;
const PHDR = 56;
const PT_LOAD = 1;
const [PF_X, PF_W, PF_R] = [1, 2, 4];
const EM_AARCH64 = 183;
const PAGE = 4096;

/** Writes an ELF64 executable (System V gABI) with two segments. The addresses must be multiples of 4096. */
export function staticElf({ code, base, scratch, scratchBytes }: StaticProgram): Uint8Array {
  const file = new Uint8Array(PAGE + code.length);
  const view = new DataView(file.buffer);
  const u16 = (offset: number, value: number): void => view.setUint16(offset, value, true);
  const u32 = (offset: number, value: number): void => view.setUint32(offset, value, true);
  const u64 = (offset: number, value: number): void => view.setBigUint64(offset, BigInt(value), true);

  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]); // Magic, 64 bit, little endian, version 1.
  u16(16, 2); // ET_EXEC.
  u16(18, EM_AARCH64);
  u32(20, 1);
  u64(24, base);
  u64(32, EHDR);
  u16(52, EHDR);
  u16(54, PHDR);
  u16(56, 2);

  const segment = (index: number, flags: number, offset: number, address: number, fileBytes: number, memoryBytes: number): void => {
    const at = EHDR + index * PHDR;
    u32(at, PT_LOAD);
    u32(at + 4, flags);
    [offset, address, address, fileBytes, memoryBytes, PAGE].forEach((value, field) => u64(at + 8 + 8 * field, value));
  };
  segment(0, PF_R | PF_X, PAGE, base, code.length, code.length);
  segment(1, PF_R | PF_W, 0, scratch, 0, scratchBytes);
  file.set(code, PAGE);
  return file;
}
