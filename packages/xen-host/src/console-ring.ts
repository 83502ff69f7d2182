/**
 * The host's end of a PV console ring, `struct xencons_interface` in a guest page: in[1024] at 0, out[2048] at 1024, then the
 * free-running u32 indexes in_cons 3072, in_prod 3076, out_cons 3080, out_prod 3084 (xen/include/public/io/console.h).
 */
const IN = { offset: 0, size: 1024, cons: 3072, prod: 3076 } as const;
const OUT = { offset: 1024, size: 2048, cons: 3080, prod: 3084 } as const;

/** Takes all that the guest has put out; an index pair that makes no sense (a broken guest) is taken as empty. */
export function readRing(page: Uint8Array): Uint8Array {
  const words = new DataView(page.buffer, page.byteOffset);
  const cons = words.getUint32(OUT.cons, true);
  const prod = words.getUint32(OUT.prod, true);
  const used = (prod - cons) >>> 0;
  const bytes = new Uint8Array(used > OUT.size ? 0 : used);
  for (let i = 0; i < bytes.length; i++) bytes[i] = page[OUT.offset + ((cons + i) & (OUT.size - 1))] as number;
  words.setUint32(OUT.cons, prod, true);
  return bytes;
}

/** Puts bytes into the guest's input; returns how many there was room for. */
export function writeRing(page: Uint8Array, bytes: Uint8Array): number {
  const words = new DataView(page.buffer, page.byteOffset);
  const prod = words.getUint32(IN.prod, true);
  const used = (prod - words.getUint32(IN.cons, true)) >>> 0;
  const room = used > IN.size ? 0 : IN.size - used;
  const count = Math.min(room, bytes.length);
  for (let i = 0; i < count; i++) page[IN.offset + ((prod + i) & (IN.size - 1))] = bytes[i] as number;
  words.setUint32(IN.prod, (prod + count) >>> 0, true);
  return count;
}
