export { XS_QUOTAS, type XsQuotaName, type XsQuotaValues } from "./quota.js";
export { createXenstored } from "./xenstored.js";
export type * from "./xenstored-types.js";
