/** Paths in xenstore (docs/misc/xenstore-paths). */
export const path = {
  dom: (domid: number): string => `/local/domain/${domid}`,
  vm: (uuid: string): string => `/vm/${uuid}`,
  libxl: (domid: number): string => `/libxl/${domid}`,
  consoleBackend: (domid: number): string => `/local/domain/0/backend/console/${domid}/0`,
} as const;
