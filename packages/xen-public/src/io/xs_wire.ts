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
  /** Filled in by Xen for domains without a toolstack; used where it is not zero. */
  evtchnPort: 2076,
} as const;

/** The header of each xenstore message, little-endian, before `len` bytes of payload (struct xsd_sockmsg). */
export const XSD_SOCKMSG = { size: 16, fields: { type: [0, "u32"], req_id: [4, "u32"], tx_id: [8, "u32"], len: [12, "u32"] } } as const;

/** Types of xenstore messages (enum xsd_sockmsg_type; the numbers are also in docs/misc/xenstore.txt). 20 was RESTRICT and is invalid now. */
export const XS = {
  CONTROL: 0,
  DIRECTORY: 1,
  READ: 2,
  GET_PERMS: 3,
  WATCH: 4,
  UNWATCH: 5,
  TRANSACTION_START: 6,
  TRANSACTION_END: 7,
  INTRODUCE: 8,
  RELEASE: 9,
  GET_DOMAIN_PATH: 10,
  WRITE: 11,
  MKDIR: 12,
  RM: 13,
  SET_PERMS: 14,
  WATCH_EVENT: 15,
  ERROR: 16,
  IS_DOMAIN_INTRODUCED: 17,
  RESUME: 18,
  SET_TARGET: 19,
  RESET_WATCHES: 21,
  DIRECTORY_PART: 22,
  GET_FEATURE: 23,
  SET_FEATURE: 24,
  GET_QUOTA: 25,
  SET_QUOTA: 26,
  INVALID: 65535,
} as const;

/** The errors that travel by name in an XS.ERROR message (xsd_errors). */
export const XSD_ERRORS = [
  "EINVAL",
  "EACCES",
  "EEXIST",
  "EISDIR",
  "ENOENT",
  "ENOMEM",
  "ENOSPC",
  "EIO",
  "ENOTEMPTY",
  "ENOSYS",
  "EROFS",
  "EBUSY",
  "EAGAIN",
  "EISCONN",
  "E2BIG",
  "EPERM",
] as const;

/** Most bytes of payload in a message of either direction; who sends more is disconnected. */
export const XENSTORE_PAYLOAD_MAX = 4096;
/** Most bytes of an absolute path. */
export const XENSTORE_ABS_PATH_MAX = 3072;
/** Most bytes of a path relative to the domain's own. */
export const XENSTORE_REL_PATH_MAX = 2048;

/** Bits of `serverFeatures`. */
export const XENSTORE_SERVER_FEATURE = { RECONNECTION: 1, ERROR: 2, WATCHDEPTH: 4, DOMID_ANY: 8 } as const;

/** Values of `connection`. */
export const XENSTORE_CONNECTION = { CONNECTED: 0, RECONNECT: 1 } as const;

/** Values of `error`. */
export const XENSTORE_ERROR = { NONE: 0, COMM: 1, RINGIDX: 2, PROTO: 3 } as const;
