/** The template functions that the chart calls, with the behaviour of Helm. */
import { stringify } from 'yaml';

/** Renders a defined template. */
export type Call = (name: string, dot: unknown) => string;

/** The truth of a value in `if`, `with` and `range`. */
export function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

type Function = (args: readonly unknown[], call: Call) => unknown;

/** Helm omits the trailing line break as well. */
const toYaml: Function = ([value]) => stringify(value, { lineWidth: 0, aliasDuplicateObjects: false }).trimEnd();

const nindent: Function = ([width, text]) => {
  const spaces = ' '.repeat(Number(width));
  return `\n${spaces}${String(text).replaceAll('\n', `\n${spaces}`)}`;
};

function dict(args: readonly unknown[]): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (let at = 0; at < args.length; at += 2) result[String(args[at])] = args[at + 1];
  return result;
}

const numbersOf = (version: unknown): number[] => (String(version).match(/\d+/g) ?? []).slice(0, 3).map(Number);

/** Supports only constraints such as `<1.2.3-0`. */
const semverCompare: Function = ([constraint, version]) => {
  if (!String(constraint).startsWith('<')) throw new Error(`${String(constraint)} is not supported`);
  const [bound, actual] = [numbersOf(constraint), numbersOf(version)];
  const at = bound.findIndex((number, position) => number !== actual[position]);
  return at >= 0 && (actual[at] ?? 0) < (bound[at] ?? 0);
};

/** The value below these keys, or the default. */
function dig([key, ...rest]: readonly string[], otherwise: unknown, value: unknown): unknown {
  if (key === undefined) return value;
  const fields = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  const [, next] = fields.find(([name]) => name === key) ?? [];
  return next === undefined ? otherwise : dig(rest, otherwise, next);
}

const fail: Function = ([message]) => {
  throw new Error(String(message));
};

const FUNCTIONS: Record<string, Function> = {
  semverCompare,
  fail,
  printf: ([format, ...args]) => args.reduce<string>((text, arg) => text.replace('%s', String(arg)), String(format)),
  toYaml,
  nindent,
  dict,
  list: args => args,
  join: ([by, list]) => (list as unknown[]).join(String(by)),
  quote: ([value]) => JSON.stringify(String(value)),
  include: ([name, dot], call) => call(String(name), dot),
  not: ([value]) => !isTrue(value),
  or: args => args.find(isTrue) ?? args.at(-1),
  /** As without a cluster. */
  lookup: () => ({}),
  dig: args => dig(args.slice(0, -2).map(String), args.at(-2), args.at(-1)),
  and: args => args.find(value => !isTrue(value)) ?? args.at(-1),
  eq: ([one, other]) => one === other,
  ne: ([one, other]) => one !== other,
  trimSuffix: ([suffix, text]) =>
    String(text).endsWith(String(suffix)) && suffix !== ''
      ? String(text).slice(0, -String(suffix).length)
      : String(text),
  regexMatch: ([pattern, text]) => new RegExp(String(pattern)).test(String(text)),
  regexReplaceAll: ([pattern, text, by]) => String(text).replace(new RegExp(String(pattern), 'g'), String(by)),
};

export function callFunction(name: string, args: readonly unknown[], call: Call): unknown {
  const implementation = FUNCTIONS[name];
  if (implementation === undefined) throw new Error(`the function ${name} is not supported`);
  return implementation(args, call);
}
