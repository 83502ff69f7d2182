export * from "./include/libxl.js";
export type { DomainDeathGenerator, Libxl, LibxlOptions } from "./libxl.js";
export type * from "./libxl_types.js";
export * from "./xenctrl.js";
export { createRpc, createRpcXenCtrl, errorToWire, type RpcChannel, type RpcMessage, XENCTRL_METHODS, type XenCtrlEvents, type XenCtrlRpc } from "./xenctrl-rpc.js";
export { connectXenCtrl, type Hello, socketChannel, type SocketChannelOptions } from "./xenctrl-socket.js";
export { MAX_PAYLOAD, WIRE_PROTOCOL, WireError } from "./xenctrl-wire.js";
