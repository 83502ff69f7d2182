import { LibxlError } from "./include/libxl.js";

/** What the header of an arm64 Image says (Documentation/arch/arm64/booting.rst), bytes. */
export interface Arm64Image {
  readonly textOffset: number;
  /** Memory that the kernel uses from its load address on, BSS included; at least the file's size. */
  readonly memorySize: number;
}

const HEADER_SIZE = 64;
/** Word at 0x38: "ARM\x64". */
const ARM64_MAGIC = 0x644d5241;
/** First word of kernels before 3.10, which have no magic. */
const ARM64_V0_BRANCH = 0x14000008;
/** Word at 0x24 of a 32-bit zImage. */
const ZIMAGE_MAGIC = 0x016f2818;
const GZIP_MAGIC = [0x1f, 0x8b] as const;
const ELF_MAGIC = 0x464c457f;
/** Machine numbers of ELF headers. */
const ELF_MACHINE: Readonly<Record<number, string>> = { 3: "32-bit x86", 40: "32-bit Arm", 62: "x86-64", 183: "arm64", 243: "RISC-V" };

/** True for a gzip'd file. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === GZIP_MAGIC[0] && bytes[1] === GZIP_MAGIC[1];
}

/**
 * Checks that `bytes` is a kernel that can start here and reads its header. Throws INVAL, and says what the file is instead.
 * `name` is the file's name for messages; `size` is the file's where `bytes` are only its first few thousand.
 */
export function probeArm64Image(bytes: Uint8Array, name: string, size: number = bytes.length): Arm64Image {
  const refuse = (what: string): never => {
    throw new LibxlError("INVAL", `kernel ${name}: ${what}`);
  };
  if (bytes.length === 0) refuse("the file is empty");
  if (bytes.length < HEADER_SIZE) refuse(`${bytes.length} bytes are too few for an arm64 Image, whose header alone has ${HEADER_SIZE}: is it truncated?`);

  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0x38, true) !== ARM64_MAGIC && view.getUint32(0, true) !== ARM64_V0_BRANCH) refuse(whatElse(bytes, view));

  const textOffset = Number(view.getBigUint64(8, true));
  const imageSize = Number(view.getBigUint64(16, true));
  const bigEndian = (view.getUint8(24) & 1) === 1;
  if (bigEndian) refuse("it is a big-endian kernel, which is not supported: build one without CONFIG_CPU_BIG_ENDIAN");
  if (textOffset >= MAX_TEXT_OFFSET) refuse(`its header asks for text_offset 0x${textOffset.toString(16)}, which is not below 2 MiB`);
  if (imageSize > MAX_IMAGE_SIZE) refuse(`its header asks for 0x${imageSize.toString(16)} bytes of memory: is it damaged?`);
  const end = peEnd(view);
  if (end !== undefined && end > size) refuse(`the file has ${size} of ${end} bytes: it is truncated`);
  return { textOffset, memorySize: Math.max(imageSize, size) };
}

/** Where the last PE section of an Image with an EFI stub ends in the file, or undefined without one. image_size does not tell: it covers BSS. */
function peEnd(view: DataView): number | undefined {
  const pe = view.getUint32(0x3c, true);
  const has = (offset: number): boolean => offset <= view.byteLength;
  if (view.getUint16(0, true) !== DOS_MAGIC || !has(pe + 24) || view.getUint32(pe, true) !== PE_MAGIC) return undefined;
  const sections = view.getUint16(pe + 6, true);
  const table = pe + 24 + view.getUint16(pe + 20, true);
  if (!has(table + sections * PE_SECTION_SIZE)) return table + sections * PE_SECTION_SIZE;
  let end = 0;
  for (let at = table; at < table + sections * PE_SECTION_SIZE; at += PE_SECTION_SIZE) {
    end = Math.max(end, view.getUint32(at + 16, true) + view.getUint32(at + 20, true));
  }
  return end;
}

/** "MZ", "PE\0\0" and the bytes of a section header (PE/COFF specification 4). */
const DOS_MAGIC = 0x5a4d;
const PE_MAGIC = 0x4550;
const PE_SECTION_SIZE = 40;

const MAX_TEXT_OFFSET = 0x20_0000;
const MAX_IMAGE_SIZE = 0x4000_0000;

/** Names a file that is no arm64 Image, and what to do about it. */
function whatElse(bytes: Uint8Array, view: DataView): string {
  const text = (at: number, length: number): string => String.fromCharCode(...bytes.subarray(at, at + length));
  if (text(0, 2) === "MZ" && text(4, 4) === "zimg") {
    return `it is an EFI zboot image (${text(0x18, 6).replace(/\0.*/s, "")} compressed), which only EFI firmware can start: unpack the Image in it`;
  }
  if (view.getUint32(0x24, true) === ZIMAGE_MAGIC) return "it is a 32-bit Arm zImage: only 64-bit guests are supported";
  if (bytes.length > 0x206 && text(0x202, 4) === "HdrS") return "it is an x86 bzImage: an arm64 Image is needed";
  if (view.getUint32(0, true) === ELF_MAGIC) {
    const machine = view.getUint16(18, true);
    const name = ELF_MACHINE[machine] ?? `machine ${machine}`;
    return machine === 183
      ? "it is an arm64 ELF file: use the Image that the kernel's build makes of it"
      : `it is an ELF file for ${name}: an arm64 Image is needed`;
  }
  const first = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return `it is no arm64 Image: it begins with ${first} and has no "ARM\\x64" at 0x38`;
}
