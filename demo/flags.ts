/** What was typed after `npm run demo --` → what is wanted. */
import { nearest } from '../program/nearest.js';

export interface TourWish {
  do: 'tour';
  nodes: number;
  keep: boolean;
  plain: boolean;
  index: number;
}

export type Wish = TourWish | { do: 'down'; index: number } | { do: 'help' } | { do: 'refuse'; why: string };

const MOST_NODES = 5;
const MOST_INDEX = 9;

export const USAGE = `npm run demo -- [flags]

Starts a real Kubernetes on this machine, installs the operator, upgrades every node, and checks that nothing went wrong.

  --nodes N   number of nodes, 1 to ${MOST_NODES}; 3 when absent
  --keep      leave the cluster up at the end and say how to reach it
  --down      take down what --keep left, and nothing else
  --plain     one line for each change instead of a table redrawn in place
  --index N   number of the cluster, 0 to ${MOST_INDEX}, when another one is in use; 0 when absent
  --help      this text`;

const FLAGS = ['--nodes', '--keep', '--down', '--plain', '--index', '--help'] as const;
type Flag = (typeof FLAGS)[number];

const refuse = (why: string): Wish => ({ do: 'refuse', why });

/** One wish, or the first thing that is wrong, in words. */
export function parseFlags(args: readonly string[]): Wish {
  const given = new Map<Flag, string | undefined>();
  const words = args.flatMap(arg => (arg.startsWith('--') && arg.includes('=') ? splitOnce(arg) : [arg]));
  while (words.length > 0) {
    const word = words.shift() ?? '';
    const flag = FLAGS.find(name => name === word);
    if (flag === undefined) return refuse(unknown(word));
    given.set(flag, takesNumber(flag) ? words.shift() : undefined);
  }
  if (given.has('--help')) return { do: 'help' };
  const nodes = numberOf(given, '--nodes', { least: 1, most: MOST_NODES, absent: 3 });
  const index = numberOf(given, '--index', { least: 0, most: MOST_INDEX, absent: 0 });
  if (typeof nodes === 'string') return refuse(nodes);
  if (typeof index === 'string') return refuse(index);
  if (!given.has('--down')) return { do: 'tour', nodes, index, keep: given.has('--keep'), plain: given.has('--plain') };
  if (given.has('--keep')) return refuse('--keep and --down are opposites: one at a time.');
  return { do: 'down', index };
}

const takesNumber = (flag: Flag) => flag === '--nodes' || flag === '--index';

function splitOnce(arg: string): string[] {
  const at = arg.indexOf('=');
  return [arg.slice(0, at), arg.slice(at + 1)];
}

interface Range {
  least: number;
  most: number;
  absent: number;
}

function numberOf(given: ReadonlyMap<Flag, string | undefined>, flag: Flag, range: Range): number | string {
  if (!given.has(flag)) return range.absent;
  const text = given.get(flag);
  const value = /^\d+$/.test(text ?? '') ? Number(text) : undefined;
  if (value !== undefined && value >= range.least && value <= range.most) return value;
  const got = text === undefined ? 'nothing' : `"${text}"`;
  return `${flag} wants a whole number from ${range.least} to ${range.most}, not ${got}.`;
}

function unknown(word: string): string {
  const meant = nearest(word, FLAGS);
  return meant === undefined
    ? `There is no "${word}". There are ${FLAGS.join(', ')}.`
    : `There is no "${word}". Did you mean ${meant}?`;
}
