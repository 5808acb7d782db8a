/** The functions of a template. `and` and `or` are part of the evaluator, since they do not evaluate all their arguments. */
import { equalsAny, isLess, isLessOrEqual } from './compare.js';
import { escapeHtml, escapeJs, escapeQuery } from './escape.js';
import { UnlocatedError } from './errors.js';
import { print, printf, println } from './printf.js';
import { bool, int, isTrue, NIL, string, type Value } from './value.js';

type Call = (args: readonly Value[]) => Value;

/** The number of arguments was checked before. */
const one =
  (call: (value: Value) => Value): Call =>
  ([value = NIL]) =>
    call(value);
const two =
  (call: (a: Value, b: Value) => Value): Call =>
  ([a = NIL, b = NIL]) =>
    call(a, b);

/** Escapes the printed form of the values. */
const escaping =
  (escape: (bytes: string) => string): Call =>
  args =>
    string(escape(print(args.map(arg => (arg.is === 'nil' ? string('<no value>') : arg)))));

const CALLS: Readonly<Record<string, Call>> = {
  call: one(() => {
    throw new UnlocatedError('notAFunction');
  }),
  eq: ([first = NIL, ...others]) => bool(equalsAny(first, others)),
  ne: two((a, b) => bool(!equalsAny(a, [b]))),
  lt: two((a, b) => bool(isLess(a, b))),
  le: two((a, b) => bool(isLessOrEqual(a, b))),
  gt: two((a, b) => bool(!isLessOrEqual(a, b))),
  ge: two((a, b) => bool(!isLess(a, b))),
  html: escaping(escapeHtml),
  js: escaping(escapeJs),
  urlquery: escaping(escapeQuery),
  not: one(value => bool(!isTrue(value))),
  len: one(value => int(length(value))),
  index: ([item = NIL, ...keys]) => index(item, keys),
  slice: ([item = NIL, ...bounds]) => slice(item, bounds),
  print: args => string(print(args)),
  println: args => string(println(args)),
  printf: ([format = NIL, ...args]) => {
    if (format.is !== 'string') throw new UnlocatedError('wrongArgumentType');
    return string(printf(format.value, args));
  },
};

export function callFunction(name: string, args: readonly Value[]): Value {
  const call = CALLS[name];
  if (!call) throw new UnlocatedError('undefinedFunction');
  return call(args);
}

function length(value: Value): number {
  if (value.is === 'string') return value.value.length;
  if (value.is === 'map') return value.value.size;
  throw new UnlocatedError('wrongArgumentType');
}

function toIndex(at: Value, max: number): number {
  if (at.is !== 'int' && at.is !== 'byte') throw new UnlocatedError('wrongArgumentType');
  if (at.value < 0n || at.value > BigInt(max)) throw new UnlocatedError('indexOutOfRange');
  return Number(at.value);
}

function index(item: Value, keys: readonly Value[]): Value {
  if (item.is === 'nil') throw new UnlocatedError('indexOfNil');
  let found: Value = item;
  for (const key of keys) found = element(found, key);
  return found;
}

function element(item: Value, key: Value): Value {
  if (item.is === 'string') {
    const at = toIndex(key, item.value.length);
    if (at === item.value.length) throw new UnlocatedError('indexOutOfRange');
    return { is: 'byte', value: BigInt(item.value.charCodeAt(at)) };
  }
  if (item.is !== 'map') throw new UnlocatedError('wrongArgumentType');
  if (key.is !== 'string') throw new UnlocatedError('wrongArgumentType');
  return string(item.value.get(key.value) ?? '');
}

function slice(item: Value, bounds: readonly Value[]): Value {
  if (item.is !== 'string') throw new UnlocatedError('wrongArgumentType');
  if (bounds.length > 2) throw new UnlocatedError('wrongArgumentCount');
  const [from = 0, to = item.value.length] = bounds.map(bound => toIndex(bound, item.value.length));
  if (from > to) throw new UnlocatedError('indexOutOfRange');
  return string(item.value.slice(from, to));
}

/** The text that an action writes. */
export const display = (value: Value): string => (value.is === 'nil' ? '<no value>' : print([value]));

/** The cost of a call, in bytes to process. */
export const cost = (args: readonly Value[]): number =>
  args.reduce((sum, arg) => sum + (arg.is === 'string' ? arg.value.length : 0), 0);
