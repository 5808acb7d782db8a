/** The conditions of real clusters that a schedule may draw: those under which every operation still ends by itself. */
import type { Condition } from './conditions.js';

const ROWS: readonly [Condition, ...Condition[]] = [
  { kind: 'sidecar', as: 'container', isPullable: true },
  { kind: 'sidecar', as: 'initSidecar', isPullable: true },
  { kind: 'sidecar', as: 'initContainer', seconds: 5, exitCode: 1, isPullable: true },
  { kind: 'mutation', of: 'images' },
  { kind: 'mutation', of: 'ttl' },
  { kind: 'policy', refuses: 'pods', at: 10, seconds: 120 },
  { kind: 'policy', refuses: 'jobs', at: 10, seconds: 120 },
  { kind: 'policy', refuses: 'evictions', at: 0, seconds: 60 },
  { kind: 'rejection', reason: 'OutOfpods', times: 2 },
  { kind: 'ending', reason: 'Terminated', at: 30 },
  { kind: 'lostSandbox', then: 'hangs' },
  { kind: 'lostSandbox', then: 'fails' },
  { kind: 'disk', trouble: 'full', at: 40 },
  { kind: 'pull', image: 'command', error: 'noSuchHost', until: 90 },
  { kind: 'daemonSetLabels' },
  { kind: 'staticPods', readySeconds: 20 },
  { kind: 'staticPods', readySeconds: 150 },
  { kind: 'staticPods', readySeconds: Number.POSITIVE_INFINITY },
  { kind: 'clocks', controllers: [-3_600, 86_400], machines: 0 },
  { kind: 'slowCalls', of: 'all', seconds: 1 },
  { kind: 'slowCalls', of: 'workloads', seconds: 3 },
];

interface Dice {
  oneOf: <T>(all: readonly [T, ...T[]]) => T;
  sometimes: (share: number) => boolean;
}

/** At most two, of different kinds. */
export function drawConditions({ oneOf, sometimes }: Dice): Condition[] {
  if (sometimes(0.4)) return [];
  const first = oneOf(ROWS);
  const second = oneOf(ROWS);
  return sometimes(0.5) || first.kind === second.kind ? [first] : [first, second];
}
