/** Most pCPUs of a host. */
const MOST = 64;

/** Number of pCPUs, from XEN_PCPUS: 1 if it is not set. Throws an Error for what is no number from 1 to 64. */
export function pcpuCount(text: string = ""): number {
  if (text === "") return 1;
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > MOST) throw new Error(`XEN_PCPUS: "${text}" is no number from 1 to ${MOST}`);
  return count;
}
