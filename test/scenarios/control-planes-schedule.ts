/** Random events on a small cluster with several control planes, drawn from a seed, so that a failing schedule can be reproduced. */
import { seededRandom } from '../fakes/cluster/seeded-random.js';
import type { Condition } from './conditions.js';
import { drawConditions } from './control-planes-conditions.js';

export interface Target {
  kind: 'NodeOp' | 'NodeOpUpgrade';
  namespace: string;
  name: string;
}

export type ScheduledEvent =
  | { do: 'apply'; on: Target; spec: object }
  | { do: 'pause'; on: Target; paused: boolean }
  | { do: 'delete' | 'retry'; on: Target }
  /** Kills the leading controller, which is then restarted. */
  | { do: 'kill' }
  /** Freezes the leading controller while a standby takes over, then thaws it. */
  | { do: 'freeze'; seconds: number }
  /** Freezes the leading controller just before a mutation, this many mutations later. */
  | { do: 'freezeAtMutation'; mutations: number; seconds: number }
  /** Delays all watch events of the controllers. */
  | { do: 'delayWatches'; seconds: number }
  | { do: 'killAgent' | 'reboot'; node: string }
  | { do: 'powerOff' | 'notReady'; node: string; seconds: number };

export interface Schedule {
  seed: number;
  controlPlanes: readonly string[];
  workers: readonly string[];
  conditions: readonly Condition[];
  events: readonly { at: number; what: ScheduledEvent }[];
}

/** Random draws in the forms that a schedule needs. */
function chance(seed: number) {
  const random = seededRandom(seed);
  const upTo = (most: number) => Math.floor(random() * (most + 1));
  const between = (least: number, most: number) => least + upTo(most - least);
  const oneOf = <T>(all: readonly [T, ...T[]]): T => all[upTo(all.length - 1)] ?? all[0];
  const sometimes = (share: number) => random() < share;
  return { upTo, between, oneOf, sometimes };
}

type Chance = ReturnType<typeof chance>;

/** Short, so that an operation that waits for something ends within the run. */
const DEADLINES = {
  pullDeadlineSeconds: 120,
  startDeadlineSeconds: 200,
  rebootTimeoutSeconds: 400,
  verifyTimeoutSeconds: 300,
};

/** Faults happen within this time, in which the operations are still running. */
const SPAN_SECONDS = 300;

function specOf(kind: Target['kind'], { oneOf, sometimes, upTo }: Chance): object {
  const common = {
    ...DEADLINES,
    concurrency: oneOf<number | string>([0, 0, 1, 2, 3, '50%', '100%']),
    stopOnFailure: sometimes(0.2),
    uncordonOnFailure: sometimes(0.5),
    backoffLimit: upTo(1),
    drainOptions: { enabled: sometimes(0.6), timeoutSeconds: 100 },
    paused: false,
  };
  if (kind === 'NodeOpUpgrade') return { ...common, force: sometimes(0.3), settleSeconds: upTo(20) };
  const [cordon, rebootOnSuccess] = oneOf<[boolean, boolean]>([
    [true, true],
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ]);
  return { ...common, cordon, rebootOnSuccess, command: [oneOf(['true', 'true', 'true', 'false'])] };
}

function faultOf(nodes: readonly [string, ...string[]], on: Target, { oneOf, between }: Chance): ScheduledEvent {
  const node = oneOf(nodes);
  switch (
    oneOf([
      'powerOff',
      'notReady',
      'reboot',
      'killAgent',
      'kill',
      'freeze',
      'freezeAtMutation',
      'freezeAtMutation',
      'delayWatches',
      'delete',
    ])
  ) {
    case 'powerOff':
      return { do: 'powerOff', node, seconds: between(10, 500) };
    case 'notReady':
      return { do: 'notReady', node, seconds: between(5, 400) };
    case 'reboot':
      return { do: 'reboot', node };
    case 'killAgent':
      return { do: 'killAgent', node };
    case 'freeze':
      return { do: 'freeze', seconds: between(5, 90) };
    case 'freezeAtMutation':
      return { do: 'freezeAtMutation', mutations: between(1, 60), seconds: between(31, 90) };
    case 'delayWatches':
      return { do: 'delayWatches', seconds: between(2, 15) };
    case 'delete':
      return { do: 'delete', on };
    default:
      return { do: 'kill' };
  }
}

/** Returns the same schedule for the same seed. */
export function scheduleOf(seed: number): Schedule {
  const dice = chance(seed);
  const { between, upTo, oneOf, sometimes } = dice;
  const names = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);
  const controlPlanes = names('cp', oneOf([2, 2, 3, 3, 3, 3, 4, 5]));
  const workers = names('w', oneOf([0, 0, 0, 1, 1, 2, 3]));
  const happenings: { at: number; what: ScheduledEvent }[] = [];
  const add = (at: number, what: ScheduledEvent) => void happenings.push({ at, what });
  const operation = (name: string): Target => ({
    kind: oneOf<Target['kind']>(['NodeOp', 'NodeOp', 'NodeOpUpgrade']),
    namespace: oneOf(['default', 'night']),
    name: sometimes(0.3) ? 'same' : name,
  });
  const first = operation('op1');
  const operations = [first, ...names('op', oneOf([0, 1, 1, 1, 2])).map(name => operation(`${name}-more`))];
  const together = upTo(90);
  for (const on of operations) {
    const begins = sometimes(0.5) ? together : upTo(90);
    add(begins, { do: 'apply', on, spec: specOf(on.kind, dice) });
    if (sometimes(0.2)) {
      const paused = begins + upTo(60);
      add(paused, { do: 'pause', on, paused: true });
      add(paused + between(20, 200), { do: 'pause', on, paused: false });
    }
    if (sometimes(0.3)) add(begins + upTo(2 * SPAN_SECONDS), { do: 'retry', on });
  }
  const all = [...controlPlanes, ...workers];
  for (let faults = upTo(4); faults > 0; faults -= 1)
    add(between(5, SPAN_SECONDS), faultOf([controlPlanes[0] ?? 'cp1', ...all], oneOf([first, ...operations]), dice));
  const events = happenings.toSorted((a, b) => a.at - b.at);
  return { seed, controlPlanes, workers, conditions: drawConditions(dice), events };
}
