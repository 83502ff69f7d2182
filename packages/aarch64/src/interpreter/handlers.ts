import type { Fields, Form } from "../a64/form.js";
import { ALL_FORMS } from "../a64/forms.js";

/** One arm or function of the interpreter: a form with its selectors fixed. */
export interface Handler {
  readonly id: number;
  readonly form: Form;
  readonly selectors: Readonly<Record<string, number>>;
  /** For branches: whether the target is in the same page. */
  readonly isNear: boolean;
  readonly isHot: boolean;
}

/** Handlers that are not instructions. 0 is what fresh memory holds. */
export const UNDECODED = 0;
/** Behind the last instruction of a page. */
export const NEXT_PAGE = 1;
/** Of START_RECORD: looks up where the PC is. */
export const START = 2;
/** An instruction without a handler of its own. */
export const UNDEFINED = 3;
/** A compiled region begins here. */
export const ENTER = 4;
/** Number of the first instruction handler. */
export const FIRST_HANDLER = 5;

interface Selector {
  readonly name: string;
  readonly values: readonly number[];
}

/** The handlers of one form, addressed by the mixed-radix number of its selectors' values. */
interface FormHandlers {
  readonly selectors: readonly Selector[];
  readonly ids: readonly number[];
}

function selectorsOf(form: Form): readonly Selector[] {
  const widths = new Map(
    form.bits
      .split(/\s+/)
      .filter((t) => !/^[01x]+$/.test(t))
      .map((t) => {
        const [name = "", width = "1"] = t.split(":");
        return [name, Number(width)];
      }),
  );
  const named = form.by.map((name) => {
    const width = widths.get(name);
    if (width === undefined) throw new Error(`form ${form.name} selects by ${name}, which is no field`);
    return { name, values: Array.from({ length: 1 << width }, (_, v) => v) };
  });
  return [...named, ...Object.entries(form.derive).map(([name, { values }]) => ({ name, values }))];
}

/** Every combination of the selectors' values, the first selector slowest. */
function combinations(selectors: readonly Selector[]): Record<string, number>[] {
  return selectors.reduce<Record<string, number>[]>((all, { name, values }) => all.flatMap((one) => values.map((v) => ({ ...one, [name]: v }))), [{}]);
}

const handlers: Handler[] = [];
const byForm = new Map<Form, FormHandlers>();

for (const form of ALL_FORMS) {
  const selectors = selectorsOf(form);
  const ids = combinations(selectors).map((values) => {
    if (form.skip?.(values)) return -1;
    const id = FIRST_HANDLER + handlers.length;
    const isHot = form.hot(values);
    handlers.push({ id, form, selectors: values, isNear: false, isHot });
    if (form.relative === "branch") handlers.push({ id: id + 1, form, selectors: values, isNear: true, isHot });
    return id;
  });
  byForm.set(form, { selectors, ids });
}

/** All instruction handlers in the order of their numbers. */
export const HANDLERS: readonly Handler[] = handlers;

/** Number of the handler for a decoded word (for branches, the far variant; near is one more); UNDEFINED if the form has none. */
export function handlerOf(form: Form, fields: Fields): number {
  const entry = byForm.get(form);
  if (entry === undefined) return UNDEFINED;
  let index = 0;
  for (const { name, values } of entry.selectors) {
    const derived = form.derive[name];
    const value = derived === undefined ? (fields[name] ?? 0) : derived.of(fields);
    index = index * values.length + values.indexOf(value);
  }
  const id = entry.ids[index] ?? -1;
  return id < 0 ? UNDEFINED : id;
}
