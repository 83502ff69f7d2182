export { createGuest, type Guest, type GuestOptions } from "./guest.js";
export { createGuestConsole, type GuestConsole, type Patience } from "./guest-console.js";
export * from "./include/libxl.js";
export { createLibxl, type Libxl, type LibxlOptions } from "./libxl.js";
export type { DomainDeathGenerator } from "./libxl_event.js";
export { domainConfigFromJson, domainConfigToJson, type Json, yajlGen } from "./libxl_json.js";
export type * from "./libxl_types.js";
export type { XsQuotas } from "./libxl_xsquota.js";
export { generateUuid, uuidFromString, uuidToString } from "./libxl_uuid.js";
export { type Cfg, type CfgOptions, readCfg } from "./libxlu_cfg.js";
export type { CoreFile } from "./xc_core.js";
export { type Within, withinHostTime } from "./within.js";
export * from "./xenctrl.js";
export {
  createRpc,
  createRpcXenCtrl,
  errorToWire,
  type RpcChannel,
  type RpcMessage,
  XENCTRL_METHODS,
  type XenCtrlEvents,
  type XenCtrlRpc,
} from "./xenctrl-rpc.js";
export { connectXenCtrl, type Hello, socketChannel, type SocketChannelOptions } from "./xenctrl-socket.js";
export { MAX_PAYLOAD, WIRE_PROTOCOL, WireError } from "./xenctrl-wire.js";
export { type HostPaths, hostPaths, makePrivateDirectory } from "./xenctrl-paths.js";
export { lockHolder, takeLock } from "./xenctrl-lock.js";
