/** Parses the command line after `npm run demo --`. */
import { nearest } from '../program/nearest-name.js';

export interface TourOptions {
  do: 'tour';
  nodes: number;
  keep: boolean;
  plain: boolean;
  index: number;
}

export type Options = TourOptions | { do: 'down'; index: number } | { do: 'help' } | { do: 'reject'; reason: string };

const MAX_NODES = 5;
const MAX_INDEX = 9;

export const USAGE = `npm run demo -- [flags]

Starts a real Kubernetes cluster on this machine, installs the operator, upgrades every node and checks the result.

  --nodes N   number of nodes, 1 to ${MAX_NODES} (default: 3)
  --keep      keep the cluster running at the end and print how to use it
  --down      only remove the cluster that a run with --keep left running
  --plain     print one line per change instead of updating a table in place
  --index N   number of the cluster, 0 to ${MAX_INDEX} (default: 0); choose another when that one is in use
  --help      print this text`;

const FLAGS = ['--nodes', '--keep', '--down', '--plain', '--index', '--help'] as const;
type Flag = (typeof FLAGS)[number];

const reject = (reason: string): Options => ({ do: 'reject', reason });

/** The options, or the reason why the first invalid argument was rejected. */
export function parseFlags(args: readonly string[]): Options {
  const given = new Map<Flag, string | undefined>();
  const rest = args.flatMap(arg => (arg.startsWith('--') && arg.includes('=') ? splitOnce(arg) : [arg]));
  while (rest.length > 0) {
    const arg = rest.shift() ?? '';
    const flag = FLAGS.find(name => name === arg);
    if (flag === undefined) return reject(unknownArgument(arg));
    given.set(flag, takesNumber(flag) ? rest.shift() : undefined);
  }
  if (given.has('--help')) return { do: 'help' };
  const nodes = numberOf(given, '--nodes', { min: 1, max: MAX_NODES, fallback: 3 });
  const index = numberOf(given, '--index', { min: 0, max: MAX_INDEX, fallback: 0 });
  if (typeof nodes === 'string') return reject(nodes);
  if (typeof index === 'string') return reject(index);
  if (!given.has('--down')) return { do: 'tour', nodes, index, keep: given.has('--keep'), plain: given.has('--plain') };
  if (given.has('--keep')) return reject('--keep and --down exclude each other; use only one of them.');
  return { do: 'down', index };
}

const takesNumber = (flag: Flag) => flag === '--nodes' || flag === '--index';

function splitOnce(arg: string): string[] {
  const at = arg.indexOf('=');
  return [arg.slice(0, at), arg.slice(at + 1)];
}

interface Range {
  min: number;
  max: number;
  fallback: number;
}

function numberOf(given: ReadonlyMap<Flag, string | undefined>, flag: Flag, range: Range): number | string {
  if (!given.has(flag)) return range.fallback;
  const text = given.get(flag);
  const value = /^\d+$/.test(text ?? '') ? Number(text) : undefined;
  if (value !== undefined && value >= range.min && value <= range.max) return value;
  const actual = text === undefined ? 'nothing' : `"${text}"`;
  return `${flag} takes a whole number from ${range.min} to ${range.max}, not ${actual}.`;
}

function unknownArgument(arg: string): string {
  const suggestion = nearest(arg, FLAGS);
  return suggestion === undefined
    ? `Unknown argument "${arg}". The flags are ${FLAGS.join(', ')}.`
    : `Unknown argument "${arg}". Did you mean ${suggestion}?`;
}
