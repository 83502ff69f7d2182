import { connect } from "node:net";
import type { XsStream } from "./xs-types.js";

/** Connects to the unix socket `path` of a xenstored; throws the system's error if nobody listens there. */
export function connectXenstored(path: string): Promise<XsStream> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      socket.on("error", () => undefined); // "close" follows
      resolve({
        write: (bytes) => void socket.write(bytes),
        close: () => void socket.end(),
        onData: (listener) => void socket.on("data", listener),
        onClose: (listener) => void socket.once("close", () => listener()),
      });
    });
  });
}
