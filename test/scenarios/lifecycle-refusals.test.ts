/** The API server does not do what was asked for: the Job or its Pod is refused, although a rehearsal of it was not. */
import { describe, expect, test } from '@jest/globals';
import { NODE_OP } from '../../api/kinds.js';
import { KubeError } from '../../kube/errors.js';
import { JOBS, PODS } from '../../kube/resources.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import { nodeOp } from '../fakes/cluster/object-builders.js';
import { SETTLED, DRAIN, RELEASED, nodeMessage, nodesNamed, ONLY_N1, REBOOT, WEB } from './lifecycle-setup.js';
import { runScenario } from './run-scenario.js';
import type { Scenario } from './scenario.js';

const KEPT = { cordoned: true, cordonMark: 'default/op', claimedBy: undefined, shutdowns: '' };

const begins = (cluster: FakeCluster, spec: object) =>
  void cluster.apply(NODE_OP, nodeOp('op', { ...ONLY_N1, ...spec }));

const policy = () => new KubeError(403, 'exceeded quota: none is left', 'Forbidden');

/** From when the node is drained on, nothing of this kind is let in any more. */
const refusing = (plural: string, spec: object): Scenario => ({
  name: '',
  cluster: { nodes: nodesNamed('n1', 'n2'), ...WEB },
  run: async cluster => {
    await cluster.runFor(20);
    begins(cluster, { startDeadlineSeconds: 60, ...spec });
    cluster.api.admission = ({ verb, plural: what }) => (verb === 'create' && what === plural ? policy() : undefined);
  },
  expected: {},
});

describe('what the rehearsal let in and the API server then refuses', () => {
  test.each([
    ['a Job', JOBS.plural, 'exceeded quota: none is left'],
    ['the Pod of a Job', PODS.plural, 'no Pod was created for the Job'],
  ])('%s: the node is kept as one whose command had its turn', async (_words, plural, why) => {
    const { outcome, cluster } = await runScenario(refusing(plural, { ...REBOOT, prePull: false }));
    expect(outcome).toMatchObject({
      ...SETTLED,
      operations: { op: { phase: 'Failed', nodes: { n1: 'Failed PodRefused cancelled' } } },
      nodes: { n1: KEPT, n2: RELEASED },
      commands: {},
    });
    expect(nodeMessage(cluster)).toContain(why);
  });

  test.each([
    ['a Job', JOBS.plural],
    ['the Pod of a Job', PODS.plural],
  ])('%s, with uncordonOnFailure: the node is free again', async (_words, plural) => {
    const { outcome } = await runScenario(refusing(plural, { ...REBOOT, prePull: false, uncordonOnFailure: true }));
    expect(outcome).toMatchObject({
      ...SETTLED,
      operations: { op: { phase: 'Failed', nodes: { n1: 'Failed PodRefused cancelled' } } },
      nodes: { n1: RELEASED, n2: RELEASED },
      commands: {},
    });
  });

  test('the Pod that pulls: the node is free again, for nothing had begun', async () => {
    const { outcome } = await runScenario(refusing(PODS.plural, { ...DRAIN, prePull: true }));
    expect(outcome).toMatchObject({
      ...SETTLED,
      operations: { op: { phase: 'Failed', nodes: { n1: 'Failed PodRefused not-requested' } } },
      nodes: { n1: RELEASED, n2: RELEASED },
      commands: {},
      jobs: [],
    });
  });

  test('for a while only: it goes on when it is let in', async () => {
    const refused = refusing(JOBS.plural, { ...DRAIN, startDeadlineSeconds: 300 });
    const { outcome } = await runScenario({
      ...refused,
      run: async cluster => {
        await refused.run(cluster);
        await cluster.runFor(45);
        cluster.api.admission = () => undefined;
      },
    });
    expect(outcome).toMatchObject({
      ...SETTLED,
      operations: { op: { phase: 'Completed', nodes: { n1: 'Completed Done not-requested' } } },
      nodes: { n1: RELEASED },
      commands: { 'n1 op': 1 },
    });
  });
});
