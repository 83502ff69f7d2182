import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { type XenCtrl, XenCtrlError } from "libxl";

/** Bytes that are read at once: guests run in between. */
const PIECE = 1 << 20;
/** EIO */
const EIO = 5;

/** Gives a hypervisor's `XenCtrl` the files of this process: `writeGuestFile`. */
export function withGuestFiles(xenctrl: XenCtrl): XenCtrl {
  const refuse = (path: string, why: string): never => {
    throw new XenCtrlError("writeGuestFile", EIO, `${path}: ${why}`);
  };
  return {
    ...xenctrl,
    async writeGuestFile(domid, ipa, path, length) {
      const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: Error) =>
        refuse(path, `the host cannot open it: ${error.message}`),
      );
      try {
        const status = await file.stat();
        if (!status.isFile()) refuse(path, "it is no regular file");
        if (status.size !== length) refuse(path, `it has ${status.size} bytes, and had ${length}: is it being written?`);
        const piece = new Uint8Array(Math.min(PIECE, length));
        for (let at = 0; at < length; ) {
          const { bytesRead } = await file.read(piece, 0, Math.min(PIECE, length - at), at);
          if (bytesRead === 0) refuse(path, `it ends at ${at} of ${length} bytes: is it being written?`);
          await xenctrl.writeGuestMemory(domid, ipa + at, piece.subarray(0, bytesRead));
          at += bytesRead;
        }
      } finally {
        await file.close();
      }
    },
  };
}
