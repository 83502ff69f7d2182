import { domainInfo } from "./libxl_domain.js";
import { type Ctx, fail } from "./libxl_internal.js";
import { path } from "./libxl_paths.js";
import { warnDeaf } from "./libxl_pvcontrol.js";
import { writeNodes, xsTransaction } from "./libxl_xshelp.js";

/** The nodes that tell a guest which of its vCPUs it is to use. */
export function availabilityNodes(domid: number, vcpus: number, isOnline: (vcpu: number) => boolean): { path: string; value: string }[] {
  return Array.from({ length: vcpus }, (_, vcpu) => ({
    path: `${path.dom(domid)}/cpu/${vcpu}/availability`,
    value: isOnline(vcpu) ? "online" : "offline",
  }));
}

/** libxl_set_vcpuonline for the first `count` vCPUs: written down for the guest; NOPARAVIRT where a running one does not hear of it. */
export async function setVcpuonline(ctx: Ctx, domid: number, count: number): Promise<void> {
  const { vcpu_max_id } = await domainInfo(ctx, domid);
  if (domid === 0) throw fail(ctx, "INVAL", "domain 0 is the host itself: its vCPUs stay", { domid });
  if (!Number.isInteger(count) || count < 1 || count > vcpu_max_id + 1) {
    throw fail(ctx, "INVAL", `${count} vCPUs: the domain was built with 1 to ${vcpu_max_id + 1}`, { domid });
  }
  const nodes = availabilityNodes(domid, vcpu_max_id + 1, (vcpu) => vcpu < count);
  await xsTransaction(ctx, `ask for ${count} vCPUs`, domid, (transaction) => writeNodes(transaction, nodes));
  await warnDeaf(ctx, domid, `the wish for ${count} vCPU${count === 1 ? "" : "s"}`);
}
