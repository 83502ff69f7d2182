/** A file of a cpio archive; `mode` has the type bits too (S_IFREG 0o100000, S_IFDIR 0o040000, S_IFCHR 0o020000, S_IFLNK 0o120000). */
export interface CpioEntry {
  /** Path without a leading slash. */
  readonly name: string;
  readonly mode: number;
  /** A file's content, or a symbolic link's target. */
  readonly data?: Uint8Array;
  /** A device node's number. */
  readonly device?: readonly [major: number, minor: number];
}

/**
 * Writes an archive in the "newc" format (Documentation/driver-api/early-userspace/buffer-format.rst of Linux): a header of a
 * magic and 13 fields of eight hex digits, the name, the data, each padded to 4 bytes; a last entry named `TRAILER!!!`.
 */
export function cpio(entries: readonly CpioEntry[]): Uint8Array {
  const parts = [...entries, { name: "TRAILER!!!", mode: 0 }].flatMap((entry, index) => member(entry, index + 1));
  return Buffer.concat(parts);
}

function member({ name, mode, data = new Uint8Array(), device = [0, 0] }: CpioEntry, ino: number): Uint8Array[] {
  const path = Buffer.from(`${name}\0`);
  const links = (mode & 0o170000) === 0o040000 ? 2 : 1;
  const fields = [ino, mode, 0, 0, links, 0, data.length, 0, 0, ...device, path.length, 0];
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`);
  return [header, path, padding(header.length + path.length), data, padding(data.length)];
}

function padding(length: number): Uint8Array {
  return new Uint8Array(-length & 3);
}
