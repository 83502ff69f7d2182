/** Arm's perf counters in the order of xen/arch/arm/include/asm/perfc_defn.h, which is the index in XEN_SYSCTL_perfc_op. */
export const ARM_PERFC_DEFN = [
  { name: "invalid_hypercalls", label: "invalid hypercalls" },

  { name: "trap_wfi", label: "trap: wfi" },
  { name: "trap_wfe", label: "trap: wfe" },
  { name: "trap_cp15_32", label: "trap: cp15 32-bit access" },
  { name: "trap_cp15_64", label: "trap: cp15 64-bit access" },
  { name: "trap_cp14_32", label: "trap: cp14 32-bit access" },
  { name: "trap_cp14_64", label: "trap: cp14 64-bit access" },
  { name: "trap_cp14_dbg", label: "trap: cp14 dbg access" },
  { name: "trap_cp10", label: "trap: cp10 access" },
  { name: "trap_cp", label: "trap: cp access" },
  { name: "trap_smc32", label: "trap: 32-bit smc" },
  { name: "trap_hvc32", label: "trap: 32-bit hvc" },
  { name: "trap_smc64", label: "trap: 64-bit smc" },
  { name: "trap_hvc64", label: "trap: 64-bit hvc" },
  { name: "trap_sysreg", label: "trap: sysreg access" },
  { name: "trap_iabt", label: "trap: guest instr abort" },
  { name: "trap_dabt", label: "trap: guest data abort" },
  { name: "trap_uncond", label: "trap: condition failed" },

  { name: "vpsci_cpu_on", label: "vpsci: cpu_on" },
  { name: "vpsci_cpu_off", label: "vpsci: cpu_off" },
  { name: "vpsci_version", label: "vpsci: version" },
  { name: "vpsci_migrate_info_type", label: "vpsci: migrate_info_type" },
  { name: "vpsci_system_off", label: "vpsci: system_off" },
  { name: "vpsci_system_reset", label: "vpsci: system_reset" },
  { name: "vpsci_cpu_suspend", label: "vpsci: cpu_suspend" },
  { name: "vpsci_cpu_affinity_info", label: "vpsci: cpu_affinity_info" },
  { name: "vpsci_features", label: "vpsci: features" },
  { name: "vpsci_system_suspend", label: "vpsci: system_suspend" },

  { name: "vcpu_kick", label: "vcpu: notify other vcpu" },

  { name: "vgicd_reads", label: "vgicd: read" },
  { name: "vgicd_writes", label: "vgicd: write" },
  { name: "vgicr_reads", label: "vgicr: read" },
  { name: "vgicr_writes", label: "vgicr: write" },
  { name: "vgic_cp64_reads", label: "vgic: cp64 read" },
  { name: "vgic_cp64_writes", label: "vgic: cp64 write" },
  { name: "vgic_sysreg_reads", label: "vgic: sysreg read" },
  { name: "vgic_sysreg_writes", label: "vgic: sysreg write" },
  { name: "vgic_sgi_list", label: "vgic: SGI send to list" },
  { name: "vgic_sgi_others", label: "vgic: SGI send to others" },
  { name: "vgic_sgi_self", label: "vgic: SGI send to self" },
  { name: "vgic_irq_migrates", label: "vgic: irq migration" },

  { name: "vuart_reads", label: "vuart: read" },
  { name: "vuart_writes", label: "vuart: write" },

  { name: "vtimer_cp32_reads", label: "vtimer: cp32 read" },
  { name: "vtimer_cp32_writes", label: "vtimer: cp32 write" },
  { name: "vtimer_cp64_reads", label: "vtimer: cp64 read" },
  { name: "vtimer_cp64_writes", label: "vtimer: cp64 write" },
  { name: "vtimer_sysreg_reads", label: "vtimer: sysreg read" },
  { name: "vtimer_sysreg_writes", label: "vtimer: sysreg write" },
  { name: "vtimer_phys_inject", label: "vtimer: phys expired, injected" },
  { name: "vtimer_phys_masked", label: "vtimer: phys expired, masked" },
  { name: "vtimer_virt_inject", label: "vtimer: virt expired, injected" },

  { name: "ppis", label: "#PPIs" },
  { name: "spis", label: "#SPIs" },
  { name: "guest_irqs", label: "#GUEST-IRQS" },
  { name: "hyp_timer_irqs", label: "Hypervisor timer interrupts" },
  { name: "virt_timer_irqs", label: "Virtual timer interrupts" },
  { name: "maintenance_irqs", label: "Maintenance interrupts" },

  { name: "atomics_guest", label: "atomics: guest access" },
  { name: "atomics_guest_paused", label: "atomics: guest paused" },
] as const;

/** Name of one of Arm's perf counters. */
export type ArmPerfCounter = (typeof ARM_PERFC_DEFN)[number]["name"];
