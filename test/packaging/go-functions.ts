/** The functions that our templates call, as Helm has them. */
import { stringify } from 'yaml';

/** Renders a defined template. */
export type Call = (name: string, dot: unknown) => string;

/** What `if`, `with` and `range` take for something. */
export function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

type Function = (args: readonly unknown[], call: Call) => unknown;

/** Helm's own leaves the last line break out. */
const toYaml: Function = ([value]) => stringify(value, { lineWidth: 0, aliasDuplicateObjects: false }).trimEnd();

const nindent: Function = ([width, text]) => {
  const spaces = ' '.repeat(Number(width));
  return `\n${spaces}${String(text).replaceAll('\n', `\n${spaces}`)}`;
};

function dict(args: readonly unknown[]): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (let at = 0; at < args.length; at += 2) made[String(args[at])] = args[at + 1];
  return made;
}

const numbersOf = (version: unknown): number[] => (String(version).match(/\d+/g) ?? []).slice(0, 3).map(Number);

/** No more than `<1.2.3-0`: is it older? */
const semverCompare: Function = ([constraint, version]) => {
  if (!String(constraint).startsWith('<')) throw new Error(`${String(constraint)} is not understood`);
  const [wanted, has] = [numbersOf(constraint), numbersOf(version)];
  const at = wanted.findIndex((number, position) => number !== has[position]);
  return at >= 0 && (has[at] ?? 0) < (wanted[at] ?? 0);
};

const fail: Function = ([words]) => {
  throw new Error(String(words));
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
  const known = FUNCTIONS[name];
  if (known === undefined) throw new Error(`no function ${name} is known here`);
  return known(args, call);
}
