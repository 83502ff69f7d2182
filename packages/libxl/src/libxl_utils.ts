import type { XsNodes } from "xenstore";
import { LibxlError } from "./include/libxl.js";
import { domainInfo, listDomain } from "./libxl_domain.js";
import { call, type Ctx, fail } from "./libxl_internal.js";
import { retrieveDomainConfiguration, storeDomainConfiguration } from "./libxl_json.js";
import { path } from "./libxl_paths.js";
import { generateUuid, uuidFromString } from "./libxl_uuid.js";
import { encodeText, PERMISSIONS, removeNodes, xsRead, xsTransaction } from "./libxl_xshelp.js";

/** The name of domain 0 where nobody wrote one. */
const DOM0_NAME = "Domain-0";

/** libxl_domid_to_name: undefined for a domain without one. */
export async function domidToName(ctx: Ctx, domid: number): Promise<string | undefined> {
  const name = await xsRead(ctx, `${path.dom(domid)}/name`, domid);
  return name ?? (domid === 0 ? DOM0_NAME : undefined);
}

/** The id of the domain with that name, or undefined. */
export async function findDomainByName(ctx: Ctx, name: string): Promise<number | undefined> {
  const domains = await listDomain(ctx);
  const names = await Promise.all(domains.map(({ domid }) => domidToName(ctx, domid)));
  return domains[names.indexOf(name)]?.domid;
}

/** libxl_name_to_domid: INVAL if no domain has the name. Not logged: callers try names. */
export async function nameToDomid(ctx: Ctx, name: string): Promise<number> {
  const domid = await findDomainByName(ctx, name);
  if (domid === undefined) throw new LibxlError("INVAL", `no domain is named "${name}"`);
  return domid;
}

/** libxl_domain_qualifier_to_domid: digits (or nothing: 0) are an id that is not checked, anything else is a name. */
export async function domainQualifierToDomid(ctx: Ctx, qualifier: string): Promise<number> {
  return /^[0-9]*$/.test(qualifier) ? Number(qualifier) : nameToDomid(ctx, qualifier);
}

/** libxl_domain_rename: the name in the store and in the stored config. */
export async function domainRename(ctx: Ctx, domid: number, newName: string): Promise<void> {
  await domainInfo(ctx, domid);
  if (domid === 0) throw fail(ctx, "INVAL", "domain 0 is the host itself and keeps its name", { domid });
  if (newName === "") throw fail(ctx, "INVAL", "a domain needs a name", { domid });
  const other = await findDomainByName(ctx, newName);
  if (other !== undefined && other !== domid) throw fail(ctx, "INVAL", `the name "${newName}" is taken by domain ${other}`, { domid });
  await xsTransaction(ctx, "write the new name", domid, async (nodes) => {
    const vm = await nodes.read(`${path.dom(domid)}/vm`);
    await nodes.write(`${path.dom(domid)}/name`, encodeText(newName));
    if (vm !== null) await nodes.write(`${vm}/name`, encodeText(newName));
  });
  const config = await retrieveDomainConfiguration(ctx, domid).catch(() => undefined);
  if (config !== undefined) await storeDomainConfiguration(ctx, domid, { ...config, c_info: { ...config.c_info, name: newName } });
}

/**
 * libxl_domain_preserve: sets a dead domain aside as `newName` with a UUID of its own, so that another one can be built from its config
 * under the old name and UUID.
 */
export async function domainPreserve(ctx: Ctx, domid: number, newName: string): Promise<void> {
  await domainRename(ctx, domid, newName);
  const uuid = generateUuid(ctx.randomBytes);
  await call(ctx, "give the domain another UUID", domid, ctx.ctrl.setDomainHandle(domid, uuidFromString(uuid) as Uint8Array));
  await xsTransaction(ctx, "move the domain's nodes", domid, (nodes) => moveVm(nodes, domid, uuid));
  const config = await retrieveDomainConfiguration(ctx, domid).catch(() => undefined);
  if (config !== undefined) await storeDomainConfiguration(ctx, domid, { ...config, c_info: { ...config.c_info, uuid } });
}

/** Gives the domain a /vm/UUID of its own with what the old one held. */
async function moveVm(nodes: XsNodes, domid: number, uuid: string): Promise<void> {
  const [old, vm] = [await nodes.read(`${path.dom(domid)}/vm`), path.vm(uuid)];
  await nodes.mkdir(vm);
  await nodes.setPermissions(vm, PERMISSIONS.readOnly(domid));
  for (const name of (old === null ? null : await nodes.directory(old)) ?? [])
    await nodes.write(`${vm}/${name}`, (await nodes.readBytes(`${old}/${name}`)) ?? "");
  if (old !== null) await removeNodes(nodes, [old]);
  await nodes.write(`${vm}/uuid`, uuid);
  await nodes.write(`${path.dom(domid)}/vm`, vm);
}

/** When the domain was built, seconds since 1970, or undefined for a domain that libxl did not build. */
export async function vmGetStartTime(ctx: Ctx, domid: number): Promise<number | undefined> {
  const vm = await xsRead(ctx, `${path.dom(domid)}/vm`, domid);
  const time = vm === null ? null : await xsRead(ctx, `${vm}/start_time`, domid);
  return time === null ? undefined : Number(time);
}
