import { DOMID } from "xen-public";
import { packStrings, type XsErrorCode } from "xenstore";
import { type Domain, type Introduced, SERVER_FEATURES } from "./domain.js";
import { endDomain, introduceDomain } from "./lifecycle.js";
import { domainPath } from "./path.js";
import { isQuotaName, QUOTA_NAMES } from "./quota.js";
import { type Answer, OK, onlyString, parseDomid, parseUnsigned, type Request } from "./request.js";

/** INTRODUCE: opens a domain's ring. */
export function introduce({ core, strings }: Request): Answer {
  const [domidText, gfnText = "", portText] = strings;
  const domid = parseDomid(domidText);
  const port = parseUnsigned(portText, 0x7fff_ffff);
  if (strings.length < 3 || domid === undefined || !/^-?\d{1,19}$/.test(gfnText) || port === undefined || port === 0) return "EINVAL";
  return introduceDomain(core, domid, { gfn: BigInt(gfnText), port }) ?? OK;
}

/** The domain named by the only string: one with a ring, not Dom0. */
function introducedDomain(request: Request): (Domain & { readonly introduced: Introduced }) | XsErrorCode {
  const domid = parseDomid(onlyString(request));
  if (domid === undefined || domid === 0) return "EINVAL";
  return findIntroduced(request, domid) ?? "ENOENT";
}

function findIntroduced({ core }: Request, domid: number): (Domain & { readonly introduced: Introduced }) | undefined {
  const domain = core.domains.get(domid);
  return domain?.introduced === undefined ? undefined : (domain as Domain & { readonly introduced: Introduced });
}

/** RELEASE: forgets a domain, its ring and its nodes. */
export function release(request: Request): Answer {
  const domain = introducedDomain(request);
  if (typeof domain === "string") return domain;
  endDomain(request.core, domain);
  return OK;
}

/** RESUME: the domain's next shutdown is to be told again. */
export function resume(request: Request): Answer {
  const domain = introducedDomain(request);
  if (typeof domain === "string") return domain;
  domain.isShutdown = false;
  return OK;
}

/** SET_TARGET: a domain may act as another one. */
export function setTarget(request: Request): Answer {
  const domid = parseDomid(request.strings[0]);
  const target = parseDomid(request.strings[1]);
  if (domid === undefined || target === undefined) return "EINVAL";
  const domain = findIntroduced(request, domid);
  if (domain === undefined || findIntroduced(request, target) === undefined) return "ENOENT";
  domain.target = target;
  return OK;
}

/** GET_DOMAIN_PATH: the base of a domain's relative paths. */
export function getDomainPath(request: Request): Answer {
  const domid = parseDomid(onlyString(request));
  return domid === undefined ? "EINVAL" : packStrings(domainPath(domid));
}

/** IS_DOMAIN_INTRODUCED: "T" between INTRODUCE and the domain's end. */
export function isDomainIntroduced(request: Request): Answer {
  const domid = parseDomid(onlyString(request));
  if (domid === undefined) return "EINVAL";
  const isIntroduced = domid === 0 || domid === DOMID.SELF || findIntroduced(request, domid) !== undefined;
  return packStrings(isIntroduced ? "T" : "F");
}

/** GET_FEATURE: the features offered to the caller, or, for the privileged, to any domain. */
export function getFeature({ connection, core, strings }: Request): Answer {
  if (strings.length === 0) return packStrings(String(connection.domain.features));
  if (!connection.isPrivileged) return "EACCES";
  const domid = parseDomid(strings[0]);
  if (strings.length > 1 || domid === undefined) return "EINVAL";
  const domain = core.domains.find(domid);
  return domain === undefined ? "ENOENT" : packStrings(String(domain.features));
}

/** SET_FEATURE: chooses what is offered to a domain, before it is introduced. */
export function setFeature({ core, strings }: Request): Answer {
  const domid = parseDomid(strings[0]);
  const features = parseUnsigned(strings[1]);
  if (strings.length !== 2 || domid === undefined || features === undefined) return "EINVAL";
  const domain = core.domains.find(domid);
  if (domain === undefined) return "ENOENT";
  if (domid === 0 || domain.introduced !== undefined) return "EBUSY";
  if (features > SERVER_FEATURES) return "EINVAL"; // All bits up to the highest are ours.
  domain.features = features;
  return OK;
}

/** GET_QUOTA: the names of the quotas, or one of them, of a domain or for new domains. */
export function getQuota({ core, strings }: Request): Answer {
  if (strings.length > 2) return "EINVAL";
  const name = strings.at(-1);
  if (name === undefined) return packStrings(QUOTA_NAMES.join(" "));
  const quotas = quotasOf(core, strings.length === 2 ? strings[0] : undefined);
  if (typeof quotas === "string") return quotas;
  return isQuotaName(name) ? packStrings(String(quotas[name])) : "EINVAL";
}

/** SET_QUOTA: sets one, of a domain or for new domains. */
export function setQuota({ core, strings }: Request): Answer {
  if (strings.length < 2 || strings.length > 3) return "EINVAL";
  const quotas = quotasOf(core, strings.length === 3 ? strings[0] : undefined);
  if (typeof quotas === "string") return quotas;
  const name = strings.at(-2) as string;
  const value = parseUnsigned(strings.at(-1));
  if (!isQuotaName(name) || value === undefined) return "EINVAL";
  quotas[name] = value;
  return OK;
}

function quotasOf({ domains }: Request["core"], domidText: string | undefined): Domain["account"]["quotas"] | XsErrorCode {
  if (domidText === undefined) return domains.quotas;
  const domid = parseDomid(domidText);
  if (domid === undefined) return "EINVAL";
  return domains.find(domid)?.account.quotas ?? "ENOENT";
}
