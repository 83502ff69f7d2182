/**
 * C's printf as far as xl's columns need it: flags `-` and `0`, width, precision, and the conversions s c d u x f %.
 * Length modifiers (l, ll) are read over. A bigint prints as it is.
 */
export function printf(format: string, ...values: readonly (string | number | bigint)[]): string {
  let next = 0;
  return format.replaceAll(
    /%(-?)(0?)(\d*)(?:\.(\d+))?l*([scduxf%])/g,
    (_all, left: string, zero: string, width: string, precision: string | undefined, kind: string) => {
      if (kind === "%") return "%";
      const value = values[next++] ?? "";
      const text = convert(value, kind, precision === undefined ? undefined : Number(precision));
      if (left === "-") return text.padEnd(Number(width));
      return text.padStart(Number(width), zero === "0" ? "0" : " ");
    },
  );
}

function convert(value: string | number | bigint, kind: string, precision: number | undefined): string {
  switch (kind) {
    case "x":
      return value.toString(16);
    case "f":
      return Number(value).toFixed(precision ?? 6);
    case "d":
    case "u":
      return typeof value === "number" ? Math.trunc(value).toString() : String(value);
    default:
      return String(value).slice(0, precision ?? undefined);
  }
}
