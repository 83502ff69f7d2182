/** The PV console page (public/io/console.h): free-running 32-bit indexes, rings are powers of two. */
export const XENCONS_INTERFACE = {
  in: 0,
  inSize: 1024,
  out: 1024,
  outSize: 2048,
  inCons: 3072,
  inProd: 3076,
  outCons: 3080,
  outProd: 3084,
} as const;
