/** Paths in the store, as libxl's under xenstore (facts/lifecycle.md 5). */
export const path = {
  dom: (domid: number): string => `/local/domain/${domid}`,
  vm: (uuid: string): string => `/vm/${uuid}`,
  libxl: (domid: number): string => `/libxl/${domid}`,
  /** Xen keeps userdata in files; here it lies beside the domain and goes with it. */
  userdata: (domid: number, userid: string): string => `/libxl/${domid}/userdata/${userid}`,
} as const;
