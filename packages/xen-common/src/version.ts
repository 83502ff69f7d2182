/** What the hypervisor says about its build (XENVER_*, `xl info`). */
export interface XenBuildInfo {
  readonly major: number;
  readonly minor: number;
  /** ".0-dev" of "4.23.0-dev". */
  readonly extra: string;
  readonly capabilities: string;
  readonly changeset: string;
  readonly commandline: string;
  readonly compiler: string;
  readonly compileBy: string;
  readonly compileDomain: string;
  readonly compileDate: string;
  /** Hexadecimal, may be empty. */
  readonly buildId: string;
}

/** The Xen whose interface this is. */
export const XEN_BUILD: XenBuildInfo = {
  major: 4,
  minor: 23,
  extra: ".0-ts",
  capabilities: "xen-3.0-aarch64 ",
  changeset: "",
  commandline: "",
  compiler: "TypeScript",
  compileBy: "",
  compileDomain: "",
  compileDate: "",
  buildId: "",
};
