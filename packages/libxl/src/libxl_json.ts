import { LibxlError } from "./include/libxl.js";
import { DOMAIN_CONFIG, type StructFields } from "./libxl_json_types.js";
import { call, type Ctx, fail } from "./libxl_internal.js";
import type { DomainConfig } from "./libxl_types.js";

/** A JSON value. */
export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

type Struct = Record<string, unknown>;

/** `libxl_domain_config` as libxl's JSON has it: IDL order, defaults left out, defbools as "True" and "False". */
export function domainConfigToJson(config: DomainConfig): Json {
  return generate(config as unknown as Struct, DOMAIN_CONFIG, config.c_info.type ?? "invalid");
}

function generate(struct: Struct, fields: StructFields, type: string): Json {
  const out: Record<string, Json> = {};
  for (const [name, field] of Object.entries(fields)) {
    const value = struct[name];
    if (field.kind === "union") out[`type.${type}`] = {};
    else if (field.kind === "struct") {
      if (value !== undefined || field.always) out[name] = generate((value ?? {}) as Struct, field.fields, type);
    } else if (value === undefined || value === field.default || (Array.isArray(value) && value.length === 0)) continue;
    else if (field.kind === "defbool") out[name] = value === true ? "True" : "False";
    else if (field.kind === "structs") out[name] = (value as Struct[]).map((one) => generate(one, field.fields, type));
    else out[name] = value as Json;
  }
  return out;
}

/** Reads what `domainConfigToJson` wrote; unknown names are left out. Throws INVAL for something else. */
export function domainConfigFromJson(json: unknown): DomainConfig {
  const config = parse(json, DOMAIN_CONFIG);
  const { c_info } = config as { c_info?: { name?: unknown } };
  if (typeof c_info?.name !== "string") throw new LibxlError("INVAL", "the stored config has no c_info.name");
  return config as unknown as DomainConfig;
}

function parse(json: unknown, fields: StructFields): Struct {
  const from = (typeof json === "object" && json !== null ? json : {}) as Struct;
  const out: Struct = {};
  for (const [name, field] of Object.entries(fields)) {
    const value = from[name];
    if (field.kind === "union") continue;
    if (field.kind === "struct") {
      const some = Object.keys(field.fields).length > 0;
      if (some && (value !== undefined || field.always)) out[name] = parse(value, field.fields);
    } else if (value === undefined) {
      if (field.default !== undefined && field.known) out[name] = field.default;
    } else if (field.kind === "defbool") out[name] = value === "True" || value === true;
    else if (field.kind === "structs") out[name] = Array.isArray(value) ? value.map((one) => parse(one, field.fields)) : [];
    else out[name] = value;
  }
  return out;
}

/** JSON text as yajl's beautifier writes it for xl: four blanks a level, empty maps and arrays over three lines. */
export function yajlGen(value: Json, indent = ""): string {
  const inner = `${indent}    `;
  if (Array.isArray(value))
    return block(
      "[",
      "]",
      value.map((item) => inner + yajlGen(item, inner)),
      indent,
    );
  if (typeof value === "object" && value !== null) {
    const lines = Object.entries(value).map(([name, item]) => `${inner}${JSON.stringify(name)}: ${yajlGen(item, inner)}`);
    return block("{", "}", lines, indent);
  }
  return JSON.stringify(value);
}

function block(open: string, close: string, lines: readonly string[], indent: string): string {
  return `${open}\n${lines.join(",\n")}\n${indent}${close}`;
}

const USERDATA = "libxl-json";

/** Keeps a domain's config with it. */
export async function storeDomainConfiguration(ctx: Ctx, domid: number, config: DomainConfig): Promise<void> {
  await userdataStore(ctx, domid, USERDATA, JSON.stringify(domainConfigToJson(config)));
}

/** libxl_retrieve_domain_configuration; JSON_CONFIG_EMPTY for a domain that libxl did not build. */
export async function retrieveDomainConfiguration(ctx: Ctx, domid: number): Promise<DomainConfig> {
  const text = await userdataRetrieve(ctx, domid, USERDATA);
  if (text === undefined) throw new LibxlError("JSON_CONFIG_EMPTY", `domain ${domid} has no stored config`, { domid });
  try {
    return domainConfigFromJson(JSON.parse(text));
  } catch (cause) {
    throw fail(ctx, "FAIL", "the stored config cannot be read", { cause, domid });
  }
}

/** libxl_userdata_store. */
export async function userdataStore(ctx: Ctx, domid: number, userid: string, data: string): Promise<void> {
  await call(ctx, `store "${userid}"`, domid, ctx.ctrl.writeUserdata(domid, userid, data));
}

/** libxl_userdata_retrieve; undefined if there is none. */
export async function userdataRetrieve(ctx: Ctx, domid: number, userid: string): Promise<string | undefined> {
  return (await call(ctx, `read "${userid}"`, domid, ctx.ctrl.readUserdata(domid, userid))) ?? undefined;
}

/** libxl_userdata_unlink. */
export async function userdataUnlink(ctx: Ctx, domid: number, userid: string): Promise<void> {
  await call(ctx, `remove "${userid}"`, domid, ctx.ctrl.writeUserdata(domid, userid, null));
}
