/** A policy refuses changes of objects: every wait for it ends, with a reason, and no node stays cordoned in silence. */
import { describe, expect, test } from '@jest/globals';
import { NODE_OP } from '../../api/kinds.js';
import { CONTROL_PLANE_LEASE, LABELS } from '../../api/names.js';
import { KubeError } from '../../kube/errors.js';
import { PODS } from '../../kube/resources.js';
import type { ChangePolicy } from '../fakes/cluster/api-server.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import { nodeOp } from '../fakes/cluster/object-builders.js';
import {
  deleteNodeOp,
  nodeMessage,
  nodesNamed,
  ONLY_N1,
  RELEASED,
  retry,
  SETTLED,
  untilFinished,
  WEB,
} from './lifecycle-setup.js';
import { runScenario } from './run-scenario.js';
import type { Scenario } from './scenario.js';

type Request = Parameters<ChangePolicy>[0];

const DENIED = new KubeError(422, 'nodes need a ticket', 'Invalid');
const deny =
  (isDenied: (request: Request) => boolean): ChangePolicy =>
  request =>
    isDenied(request) ? DENIED : undefined;

/** Whether the operation makes the node schedulable. */
const isUncordon = ({ plural, verb, body }: Request): boolean =>
  plural === 'nodes' && verb === 'patch' && JSON.stringify(body).includes('"unschedulable":null');

const scenario = (
  spec: object,
  changes: ChangePolicy,
  next: (cluster: FakeCluster) => void | Promise<void> = () => undefined,
): Scenario => ({
  name: '',
  cluster: { nodes: nodesNamed('n1', 'n2'), ...WEB },
  run: async cluster => {
    cluster.api.changes = changes;
    cluster.apply(NODE_OP, nodeOp('op', { ...ONLY_N1, startDeadlineSeconds: 60, ...spec }));
    await next(cluster);
  },
  expected: {},
});

const KEPT = { cordoned: true, cordonMark: 'default/op', claimedBy: undefined };
const LEFT = { phase: 'Failed', nodes: { n1: 'Failed UncordonRefused not-requested' } };

describe('while a policy refuses to uncordon its node,', () => {
  const allow = (cluster: FakeCluster) => void (cluster.api.changes = () => undefined);

  test('a completed operation fails after startDeadlineSeconds, with the words of the policy, and releases the node', async () => {
    const { outcome, cluster } = await runScenario(scenario({ cordon: true }, deny(isUncordon)));
    expect(outcome).toMatchObject({
      ...SETTLED,
      operations: { op: LEFT },
      nodes: { n1: KEPT },
      commands: { 'n1 op': 1 },
    });
    expect(nodeMessage(cluster)).toBe(
      'Job completed successfully; the node stays cordoned: refused for 60 s: nodes need a ticket',
    );
  });

  test('a failed operation keeps its reason and says that the node stays cordoned', async () => {
    const spec = { cordon: true, preflight: { command: ['look'] }, uncordonOnFailure: true, backoffLimit: 0 };
    const failing = scenario(spec, deny(isUncordon));
    const { outcome, cluster } = await runScenario({
      ...failing,
      cluster: { ...failing.cluster, behavior: () => ({ seconds: 1, exitCode: 0 }) },
      run: async it => {
        it.api.admission = ({ verb, plural }) => (verb === 'create' && plural === 'jobs' ? DENIED : undefined);
        await failing.run(it);
      },
    });
    expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: KEPT }, commands: {} });
    expect(outcome.operations).toMatchObject({ op: { nodes: { n1: 'Failed PodRefused not-requested' } } });
    expect(nodeMessage(cluster)).toMatch(/^refused for 60 s: .*; the node stays cordoned: refused for 60 s: /);
  });

  test('an operation completes when the policy lets it before the deadline', async () => {
    const { outcome } = await runScenario(
      scenario({ cordon: true, startDeadlineSeconds: 300 }, deny(isUncordon), async cluster => {
        await cluster.runFor(60);
        allow(cluster);
      }),
    );
    const op = { phase: 'Completed', nodes: { n1: 'Completed Done not-requested' } };
    expect(outcome).toMatchObject({
      ...SETTLED,
      operations: { op },
      nodes: { n1: RELEASED },
      commands: { 'n1 op': 1 },
    });
  });

  test.each([
    ['a retry', retry],
    ['the deletion of the operation', deleteNodeOp],
  ])('the node stays cordoned until %s, when the policy is gone', async (_title, next) => {
    const { outcome } = await runScenario(
      scenario({ cordon: true }, deny(isUncordon), async cluster => {
        await untilFinished(cluster);
        allow(cluster);
        next(cluster);
      }),
    );
    expect(outcome).toMatchObject({ ...SETTLED, nodes: { n1: RELEASED } });
  });
});

test('a control plane whose turn a policy refuses fails after startDeadlineSeconds, untouched', async () => {
  const turn = deny(({ plural, name }) => plural === 'leases' && name === CONTROL_PLANE_LEASE);
  const refused = scenario({ cordon: true }, turn);
  const nodes = [{ name: 'n1', controlPlane: true }, { name: 'n2' }];
  const { outcome, cluster } = await runScenario({ ...refused, cluster: { ...refused.cluster, nodes } });
  const op = { phase: 'Failed', nodes: { n1: 'Failed NotStarted not-requested' } };
  expect(outcome).toMatchObject({ ...SETTLED, operations: { op }, nodes: { n1: RELEASED }, commands: {} });
  expect(nodeMessage(cluster)).toBe(
    'the turn of the control planes could not be taken: refused for 60 s: nodes need a ticket',
  );
});

test('a control plane is released although a policy refuses to give its turn back', async () => {
  const giveBack = deny(({ plural, name, body }) => {
    const { spec = {} } = body as { spec?: { holderIdentity?: string } };
    return plural === 'leases' && name === CONTROL_PLANE_LEASE && spec.holderIdentity === '';
  });
  const refused = scenario({ cordon: true }, giveBack);
  const nodes = [{ name: 'n1', controlPlane: true }, { name: 'n2' }];
  const { outcome } = await runScenario({ ...refused, cluster: { ...refused.cluster, nodes } });
  expect(outcome).toMatchObject({ settled: true, operations: { op: { phase: 'Completed' } }, nodes: { n1: RELEASED } });
});

test.each([
  ['preflight', { preflight: { command: ['look'] } }, LABELS.preflight],
  ['pull', { prePull: true, image: 'registry.example/tool:2' }, LABELS.pull],
])(
  'a node whose %s Pods always vanish fails after startDeadlineSeconds, and few of them are created',
  async (_title, spec, label) => {
    let created = 0;
    const { outcome, cluster } = await runScenario(
      scenario(
        spec,
        () => undefined,
        it => {
          it.api.onChange((plural, { object, type }) => {
            if (plural !== PODS.plural || type !== 'ADDED' || object.metadata.labels?.[label] === undefined) return;
            created += 1;
            it.api.forceRemove(PODS, { name: object.metadata.name, namespace: object.metadata.namespace });
          });
        },
      ),
    );
    const op = { phase: 'Failed', nodes: { n1: 'Failed NotStarted not-requested' } };
    expect(outcome).toMatchObject({ ...SETTLED, operations: { op }, nodes: { n1: RELEASED }, commands: {} });
    expect(nodeMessage(cluster)).toMatch(/its Pod has vanished again and again for 60 s/);
    expect(created).toBeLessThan(100);
  },
);
