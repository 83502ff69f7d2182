/** The xenstore ring page (public/io/xs_wire.h). */
export const XENSTORE_DOMAIN_INTERFACE = {
  req: 0,
  reqSize: 1024,
  rsp: 1024,
  rspSize: 1024,
  reqCons: 2048,
  reqProd: 2052,
  rspCons: 2056,
  rspProd: 2060,
  serverFeatures: 2064,
  /** 0 connected, 1 reconnect wanted. */
  connection: 2068,
  error: 2072,
} as const;
