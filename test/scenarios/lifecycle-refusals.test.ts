/** The API server denies the Job or its Pod, although it allowed the dry run of it. */
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

const createNodeOp = (cluster: FakeCluster, spec: object) =>
  void cluster.apply(NODE_OP, nodeOp('op', { ...ONLY_N1, ...spec }));

const quotaError = () => new KubeError(403, 'exceeded quota: none is left', 'Forbidden');

/** Creating this resource is denied; dry runs of it are allowed. */
const denyCreation = (plural: string, spec: object): Scenario => ({
  name: '',
  cluster: { nodes: nodesNamed('n1', 'n2'), ...WEB },
  run: async cluster => {
    await cluster.runFor(20);
    createNodeOp(cluster, { startDeadlineSeconds: 60, ...spec });
    cluster.api.admission = ({ verb, plural: what }) =>
      verb === 'create' && what === plural ? quotaError() : undefined;
  },
  expected: {},
});

describe('an object that passes the dry run and is then denied', () => {
  test.each([
    ['releases and uncordons the node when it is a Job, because nothing has started', JOBS, 'exceeded quota', RELEASED],
    ['keeps the node cordoned when it is the Pod of a resumed Job', PODS, 'no Pod was created for the Job', KEPT],
  ])('%s', async (_title, { plural }, why, node) => {
    const { outcome, cluster } = await runScenario(denyCreation(plural, { ...REBOOT, prePull: false }));
    expect(outcome).toMatchObject({
      ...SETTLED,
      operations: { op: { phase: 'Failed', nodes: { n1: 'Failed PodRefused cancelled' } } },
      nodes: { n1: node, n2: RELEASED },
      commands: {},
    });
    expect(nodeMessage(cluster)).toContain(why);
  });

  test.each([
    ['a Job', JOBS.plural],
    ['the Pod of a Job', PODS.plural],
  ])('releases and uncordons the node with uncordonOnFailure when it is %s', async (_words, plural) => {
    const { outcome } = await runScenario(denyCreation(plural, { ...REBOOT, prePull: false, uncordonOnFailure: true }));
    expect(outcome).toMatchObject({
      ...SETTLED,
      operations: { op: { phase: 'Failed', nodes: { n1: 'Failed PodRefused cancelled' } } },
      nodes: { n1: RELEASED, n2: RELEASED },
      commands: {},
    });
  });

  test('releases and uncordons the node when it is the Pod that pulls the image, because nothing has started', async () => {
    const { outcome } = await runScenario(denyCreation(PODS.plural, { ...DRAIN, prePull: true }));
    expect(outcome).toMatchObject({
      ...SETTLED,
      operations: { op: { phase: 'Failed', nodes: { n1: 'Failed PodRefused not-requested' } } },
      nodes: { n1: RELEASED, n2: RELEASED },
      commands: {},
      jobs: [],
    });
  });

  test('is created when the API server allows it again, and the operation completes', async () => {
    const refused = denyCreation(JOBS.plural, { ...DRAIN, startDeadlineSeconds: 300 });
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
