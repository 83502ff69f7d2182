import { catalogue, encode } from "./catalogue.js";
import { Scan, type Scope } from "./scan.js";

const MNEMONIC = /[a-z][\w.]*/iy;

/** Assembles one instruction. Throws an `Error` that says what was expected where. */
export function assembleInstruction(text: string, scope: Scope): number {
  const scan = new Scan(text, scope);
  const mnemonic = scan.match(scan.skip(0), MNEMONIC)?.[0] ?? "";
  const spellings = catalogue().byMnemonic.get(mnemonic.toLowerCase());
  if (!spellings) throw new Error(mnemonic ? `there is no instruction '${mnemonic}'` : "expected an instruction");
  const start = scan.skip(scan.skip(0) + mnemonic.length);
  for (const { pattern, template, fields: fixed } of spellings) {
    for (const match of template.operands.parse(scan, start, fixed)) {
      if (!scan.isEnd(match.at)) {
        scan.expect(match.at, "the end of the line");
        continue;
      }
      const fields = template.complete(match.fields);
      if (fields && pattern.form.when?.(fields) !== false) return encode(pattern, fields);
      scan.expect(start, "operands that have an encoding");
    }
  }
  throw new Error(scan.complaint());
}
