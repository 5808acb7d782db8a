/** The API server does not do what was asked for: the Job or its Pod is refused, although a rehearsal of it was not. */
import { describe, expect, test } from '@jest/globals';
import { NODE_OP } from '../../api/kinds.js';
import { KubeError } from '../../kube/errors.js';
import { JOBS, PODS } from '../../kube/resources.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import { nodeOp } from '../fakes/cluster/objects.js';
import { CALM, DRAIN, FREE, messageOf, nodes, ONLY_N1, REBOOT, WEB } from './lifecycle-setup.js';
import { tell } from './replay.js';
import type { Story } from './story.js';

const KEPT = { cordoned: true, mark: 'default/op', heldBy: undefined, downs: '' };

const begins = (cluster: FakeCluster, spec: object) =>
  void cluster.apply(NODE_OP, nodeOp('op', { ...ONLY_N1, ...spec }));

const policy = () => new KubeError(403, 'exceeded quota: none is left', 'Forbidden');

/** From when the node is drained on, nothing of this kind is let in any more. */
const refusing = (plural: string, spec: object): Story => ({
  name: '',
  cluster: { nodes: nodes('n1', 'n2'), ...WEB },
  play: async cluster => {
    await cluster.run(20);
    begins(cluster, { startDeadlineSeconds: 60, ...spec });
    cluster.api.admission = ({ verb, plural: what }) => (verb === 'create' && what === plural ? policy() : undefined);
  },
  ends: {},
});

describe('what the rehearsal let in and the API server then refuses', () => {
  test.each([
    ['a Job', JOBS.plural, 'exceeded quota: none is left'],
    ['the Pod of a Job', PODS.plural, 'no Pod was made for the Job'],
  ])('%s: the node is kept as one whose command had its turn', async (_words, plural, why) => {
    const { ending, cluster } = await tell(refusing(plural, { ...REBOOT, prePull: false }));
    expect(ending).toMatchObject({
      ...CALM,
      operations: { op: { phase: 'Failed', nodes: { n1: 'Failed PodRefused cancelled' } } },
      nodes: { n1: KEPT, n2: FREE },
      commands: {},
    });
    expect(messageOf(cluster)).toContain(why);
  });

  test.each([
    ['a Job', JOBS.plural],
    ['the Pod of a Job', PODS.plural],
  ])('%s, with uncordonOnFailure: the node is free again', async (_words, plural) => {
    const { ending } = await tell(refusing(plural, { ...REBOOT, prePull: false, uncordonOnFailure: true }));
    expect(ending).toMatchObject({
      ...CALM,
      operations: { op: { phase: 'Failed', nodes: { n1: 'Failed PodRefused cancelled' } } },
      nodes: { n1: FREE, n2: FREE },
      commands: {},
    });
  });

  test('the Pod that pulls: the node is free again, for nothing had begun', async () => {
    const { ending } = await tell(refusing(PODS.plural, { ...DRAIN, prePull: true }));
    expect(ending).toMatchObject({
      ...CALM,
      operations: { op: { phase: 'Failed', nodes: { n1: 'Failed PodRefused not-requested' } } },
      nodes: { n1: FREE, n2: FREE },
      commands: {},
      jobs: [],
    });
  });

  test('for a while only: it goes on when it is let in', async () => {
    const refused = refusing(JOBS.plural, { ...DRAIN, startDeadlineSeconds: 300 });
    const { ending } = await tell({
      ...refused,
      play: async cluster => {
        await refused.play(cluster);
        await cluster.run(45);
        cluster.api.admission = () => undefined;
      },
    });
    expect(ending).toMatchObject({
      ...CALM,
      operations: { op: { phase: 'Completed', nodes: { n1: 'Completed Done not-requested' } } },
      nodes: { n1: FREE },
      commands: { 'n1 op': 1 },
    });
  });
});
