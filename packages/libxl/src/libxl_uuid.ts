const FORM = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;

/** 16 bytes as 8-4-4-4-12 hexadecimal digits. */
export function uuidToString(bytes: Uint8Array): string {
  const digits = [...bytes.subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)].join("-");
}

/** The bytes of a UUID, with dashes or without, or undefined if the text is none. */
export function uuidFromString(text: string): Uint8Array | undefined {
  if (!FORM.test(text)) return undefined;
  const digits = text.replaceAll("-", "");
  return Uint8Array.from({ length: 16 }, (_, index) => Number.parseInt(digits.slice(index * 2, index * 2 + 2), 16));
}

/** A random UUID, version 4 (RFC 9562, 5.4). */
export function generateUuid(randomBytes: (count: number) => Uint8Array): string {
  const bytes = randomBytes(16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return uuidToString(bytes);
}
