import type { Vcpu, VcpuGuestContext } from "xen-common";

/** What SYSTEM_SUSPEND leaves behind in the domain until domain_resume applies it (asm/suspend.h `struct resume_info`). */
export interface ResumeInfo {
  /** The calling vCPU, the only one that was online. */
  readonly vcpu: Vcpu;
  readonly context: VcpuGuestContext;
}
