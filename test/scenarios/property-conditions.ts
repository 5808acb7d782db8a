/** The conditions that a case may draw. */
import * as fc from 'fast-check';
import type { Condition } from './conditions.js';

const rows: { [K in Condition['kind']]: fc.Arbitrary<Extract<Condition, { kind: K }>> } = {
  sidecar: fc.record(
    {
      kind: fc.constant('sidecar'),
      as: fc.constantFrom('container', 'initContainer', 'initSidecar'),
      seconds: fc.constantFrom(1, 20),
      exitCode: fc.constantFrom(0, 2),
      isPullable: fc.constantFrom(true, true, false),
    },
    { requiredKeys: ['kind', 'as', 'isPullable'] },
  ),
  mutation: fc.record({
    kind: fc.constant('mutation'),
    of: fc.constantFrom('labels', 'limits', 'images', 'ttl'),
  }),
  policy: fc.record({
    kind: fc.constant('policy'),
    refuses: fc.constantFrom('pods', 'jobs', 'evictions'),
    at: fc.constantFrom(0, 5, 20),
    seconds: fc.constantFrom(20, 100, 10_000),
  }),
  rejection: fc.record({
    kind: fc.constant('rejection'),
    reason: fc.constantFrom('OutOfpods', 'OutOfcpu', 'NodeAffinity', 'NodeShutdown', 'Evicted'),
    times: fc.constantFrom(1, 3, 1_000),
  }),
  fullNodes: fc.record({ kind: fc.constant('fullNodes'), maxPods: fc.constantFrom(2, 3, 4) }),
  ending: fc.record({
    kind: fc.constant('ending'),
    reason: fc.constantFrom('Terminated', 'Evicted', 'Preempting'),
    at: fc.integer({ min: 1, max: 60 }),
  }),
  lostSandbox: fc.record({ kind: fc.constant('lostSandbox'), then: fc.constantFrom('hangs', 'fails') }),
  disk: fc.record({
    kind: fc.constant('disk'),
    trouble: fc.constantFrom('full', 'readOnly', 'selinux'),
    at: fc.constantFrom(0, 10, 30),
  }),
  pull: fc.record({
    kind: fc.constant('pull'),
    image: fc.constantFrom('command', 'sentinel'),
    error: fc.constantFrom('unauthorized', 'notFound', 'noSuchHost'),
    until: fc.constantFrom(50, 120),
  }),
  daemonSetLabels: fc.constant({ kind: 'daemonSetLabels' }),
  staticPods: fc.record({
    kind: fc.constant('staticPods'),
    readySeconds: fc.constantFrom(15, 100, Number.POSITIVE_INFINITY),
  }),
  clocks: fc.record({
    kind: fc.constant('clocks'),
    controllers: fc.tuple(fc.constantFrom(0, -3_600, 300), fc.constantFrom(0, 86_400, -60)),
    machines: fc.constantFrom(0, -7_200, 600),
  }),
  slowCalls: fc.record({
    kind: fc.constant('slowCalls'),
    of: fc.constantFrom('evictions', 'workloads', 'all'),
    seconds: fc.constantFrom(1, 3),
  }),
};

export const conditions: fc.Arbitrary<Condition> = fc.oneof(...Object.values(rows));
