/** Most pCPUs of a host. */
const MOST = 64;

/** Number of pCPUs: what XEN_PCPUS says, else one for each of the host's `cores`. Throws an Error for what is no number from 1 to 64. */
export function pcpuCount(text: string | undefined, cores: number): number {
  if (text === undefined || text === "") return Math.max(1, Math.min(MOST, cores));
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > MOST) throw new Error(`XEN_PCPUS: "${text}" is no number from 1 to ${MOST}`);
  return count;
}
