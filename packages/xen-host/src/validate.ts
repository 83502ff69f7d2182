import { type RpcMessage, WireError, XenCtrlError, type XenCtrlRpc } from "libxl";
import * as v from "valibot";

const count = (max: number): v.GenericSchema => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(max));
const U32 = 0xffff_ffff;
const u32 = count(U32);
/** Below DOMID_FIRST_RESERVED. */
const domid = count(0x7fef);
const vcpu = count(0xffff);
const gfn = count(0x0fff_ffff_ffff);
const ipa = count(0xffff_ffff_ffff);
const bytes = v.instance(Uint8Array);
const u64 = v.pipe(v.bigint(), v.minValue(0n), v.maxValue((1n << 64n) - 1n));
const cpus = v.pipe(v.array(count(0xffff)), v.maxLength(4096));
const userid = v.pipe(v.string(), v.maxLength(64));
/** A domain's whole configuration as JSON. */
const userdata = v.nullable(v.pipe(v.string(), v.maxLength(1024 * 1024)));
const maybe = <T extends v.GenericSchema>(schema: T): v.ExactOptionalSchema<T, undefined> => v.exactOptional(schema);

const handle = v.pipe(
  bytes,
  v.check((uuid) => uuid.length === 16, "a handle has 16 bytes"),
);

const createDomain = v.strictObject({
  domid: maybe(domid),
  handle,
  flags: u32,
  maxVcpus: u32,
  maxEvtchnPort: v.pipe(v.number(), v.integer(), v.minValue(-1), v.maxValue(U32)),
  maxGrantFrames: v.pipe(v.number(), v.integer(), v.minValue(-1), v.maxValue(U32)),
  maxMaptrackFrames: v.pipe(v.number(), v.integer(), v.minValue(-1), v.maxValue(U32)),
  cpupoolId: u32,
  arch: v.strictObject({ gicVersion: v.picklist([0, 1, 2]), nrSpis: u32, vuart: v.boolean(), compiler: maybe(v.boolean()) }),
});
const vcpuContext = v.strictObject({
  isOnline: v.boolean(),
  pc: u64,
  pstate: u64,
  x: v.pipe(v.array(u64), v.maxLength(31)),
  spEl0: u64,
  spEl1: u64,
  elrEl1: u64,
  spsrEl1: u64,
  sctlr: u64,
  ttbr0: u64,
  ttbr1: u64,
  ttbcr: u64,
});
const affinity = v.strictObject({ hard: maybe(cpus), soft: maybe(cpus), force: maybe(v.boolean()) });
const schedulerParams = v.strictObject({ scheduler: maybe(u32), weight: maybe(u32), cap: maybe(u32) });

/** Arguments of each call, in order. */
const ARGUMENTS: { readonly [M in keyof XenCtrlRpc]: readonly v.GenericSchema[] } = {
  createDomain: [createDomain],
  destroyDomain: [domid],
  pauseDomain: [domid],
  unpauseDomain: [domid],
  resumeDomain: [domid],
  shutdownDomain: [domid, count(255)],
  setDomainHandle: [domid, handle],
  getDomainInfoList: [u32, u32],
  setMaxMem: [domid, count(2 ** 42)],
  maxVcpus: [domid, u32],
  getVcpuInfo: [domid, vcpu],
  setVcpuContext: [domid, vcpu, v.nullable(vcpuContext)],
  getVcpuContext: [domid, vcpu],
  setVcpuAffinity: [domid, vcpu, affinity],
  getVcpuAffinity: [domid, vcpu],
  getSchedulerParams: [domid],
  setSchedulerParams: [domid, schedulerParams],
  getSchedulerGlobals: [u32],
  setSchedulerGlobals: [u32, v.strictObject({ ratelimit: count(2 ** 42) })],
  populatePhysmap: [domid, gfn, u32],
  writeGuestMemory: [domid, ipa, bytes],
  writeGuestFile: [domid, ipa, v.pipe(v.string(), v.maxLength(4096), v.startsWith("/")), count(2 ** 42)],
  readGuestMemory: [domid, ipa, count(4 * 1024 * 1024)],
  compiledRegions: [domid],
  compiledRegion: [domid, ipa],
  setHvmParam: [domid, count(255), u64],
  getHvmParam: [domid, count(255)],
  allocUnboundPort: [domid, domid],
  physInfo: [],
  version: [],
  readConsoleRing: [v.boolean()],
  debugKeys: [v.pipe(v.string(), v.maxLength(256))],
  perfcQuery: [],
  perfcReset: [],
  cpupoolList: [],
  cpupoolCreate: [u32, u32],
  cpupoolDestroy: [u32],
  cpupoolAddCpu: [u32, u32],
  cpupoolRemoveCpu: [u32, u32],
  cpupoolMoveDomain: [u32, domid],
  cpupoolFreeInfo: [],
  hypfsWrite: [v.pipe(v.string(), v.maxLength(1024)), v.pipe(v.string(), v.maxLength(4096))],
  introduceConsole: [domid],
  openConsole: [u32, domid, v.picklist(["pv", "vuart"]), count(255)],
  writeConsole: [u32, bytes],
  closeConsole: [u32],
  writeUserdata: [domid, userid, userdata],
  readUserdata: [domid, userid],
};

const request = v.object({ t: v.literal("q"), i: v.pipe(v.string(), v.maxLength(64)), m: v.pipe(v.string(), v.maxLength(64)), a: v.array(v.unknown()) });

/** A client's message as a well-formed call. Throws `WireError` for anything else. */
export function checkRequest(message: unknown): RpcMessage {
  const result = v.safeParse(request, message);
  if (!result.success) throw new WireError(`not a call: ${result.issues[0].message}`);
  return result.output;
}

/** EINVAL */
const EINVAL = 22;

/** Throws `XenCtrlError` with EINVAL for arguments of the wrong kind, number or range. */
export function checkArguments(method: keyof XenCtrlRpc, args: unknown[]): void {
  const schemas = ARGUMENTS[method];
  if (args.length !== schemas.length) throw new XenCtrlError(method, EINVAL, `${args.length} arguments, not ${schemas.length}`);
  schemas.forEach((schema, index) => {
    const result = v.safeParse(schema, args[index]);
    if (!result.success) throw new XenCtrlError(method, EINVAL, `argument ${index + 1}: ${v.summarize(result.issues)}`);
  });
}
