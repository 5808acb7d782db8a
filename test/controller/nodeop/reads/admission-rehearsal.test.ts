import { describe, expect, test } from '@jest/globals';
import { KubeError } from '../../../../kube/errors.js';
import { AdmissionRehearsal } from '../../../../controller/nodeop/reads/admission-rehearsal.js';
import { nodeOp } from '../../../builders.js';
import { fakeClock } from '../../../fakes/clock.js';
import { smallCluster } from '../small-cluster.js';

const WORDS = 'pods "op-" is forbidden: violates PodSecurity "restricted:latest": privileged';

describe('Pods that the API server would refuse', () => {
  const refusing = (spec: object) => {
    const story = smallCluster(spec);
    story.kube.onDryRun = () => {
      throw new KubeError(403, WORDS, 'Forbidden');
    };
    Object.assign(story.jobResults, { n1: 'Complete', n2: 'Complete' });
    return story;
  };

  test('keep every node untouched, in the words of the server', async () => {
    const story = refusing({ cordon: true });
    await story.run({ until: () => story.op().status?.nodeStatuses?.n1?.reason === 'PodRefused' });
    expect(story.op().status?.nodeStatuses?.n1).toMatchObject({
      phase: 'Pending',
      message: `the Pod of the Job would be refused: ${WORDS}`,
    });
    expect(story.agents().map(({ spec }) => spec.operation)).toEqual([undefined, undefined]);
    expect(story.node('n1')?.spec?.unschedulable).toBeUndefined();
    expect(story.events).toContainEqual(expect.objectContaining({ reason: 'PodRefused', message: WORDS }));
  });

  test.each<[string, KubeError]>([
    ['a quota', new KubeError(403, 'exceeded quota: small', 'Forbidden')],
    ['an admission webhook that does not answer', new KubeError(500, 'failed calling webhook', 'InternalError')],
  ])('by %s: are told as such', async (_sentence, refusal) => {
    const story = refusing({});
    story.kube.onDryRun = () => {
      throw refusal;
    };
    await story.run({ until: () => story.op().status?.nodeStatuses?.n1?.reason === 'PodRefused' });
    expect(story.op().status?.nodeStatuses?.n1?.message).toContain(refusal.message);
  });

  test('have an end, though the server names each rehearsed Pod anew in its words', async () => {
    const story = refusing({ startDeadlineSeconds: 60 });
    story.kube.onDryRun = body => {
      const prefix = (body as { metadata: { generateName: string } }).metadata.generateName;
      throw new KubeError(403, `pods "${prefix}${Math.random().toString(36).slice(2, 7)}" is forbidden`, 'Forbidden');
    };
    /* One pass a second. */
    expect(await story.run()).toBeLessThan(80);
    expect(story.op().status).toMatchObject({ phase: 'Failed', nodes: { failed: 2 } });
  });

  test('that the server does not answer for hold up no node that has begun', async () => {
    const story = smallCluster({ concurrency: 1 });
    await story.run({ until: () => story.op().status?.nodes?.active === 1 });
    story.kube.onDryRun = () => {
      throw new KubeError(503, 'etcdserver: leader changed', 'ServiceUnavailable');
    };
    story.jobResults.n1 = 'Complete';
    await story.run({ until: () => story.op().status?.nodeStatuses?.n1?.phase === 'Completed' });
    expect(story.op().status?.nodeStatuses?.n2?.message).toBe(
      'it is unknown whether the Pod of the Job would be admitted: etcdserver: leader changed',
    );
  });

  test('are not asked about again for nodes that have begun, by a controller that is new', async () => {
    const story = smallCluster({});
    await story.run({ until: () => story.op().status?.nodes?.active === 2 });
    story.kube.onDryRun = () => {
      throw new KubeError(503, 'etcdserver: leader changed', 'ServiceUnavailable');
    };
    Object.assign(story.jobResults, { n1: 'Complete', n2: 'Complete' });
    await story.run();
    expect(story.op().status?.phase).toBe('Completed');
  });

  test.each(['op', `${'a'.repeat(49)}.b`, `${'a'.repeat(200)}.${'b'.repeat(52)}`])(
    'of operation %s are rehearsed under a name that a Pod may have',
    async name => {
      const asked: string[] = [];
      const kube = {
        dryRun: async (_resource: unknown, { metadata }: { metadata?: { generateName?: string } }) =>
          void asked.push(metadata?.generateName ?? ''),
      };
      const around = { defaultImage: 'tool', sentinel: { image: 'agent', command: [] } };
      await new AdmissionRehearsal({ kube, clock: fakeClock(), ...around }).refusal(
        nodeOp({}, { metadata: { name } }),
        'n1',
      );
      expect(asked).toEqual([expect.stringMatching(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?-$/)]);
    },
  );

  test('fail the nodes when startDeadlineSeconds are over', async () => {
    const story = refusing({ startDeadlineSeconds: 20 });
    await story.run();
    expect(story.op().status).toMatchObject({ phase: 'Failed', nodes: { failed: 2 } });
    expect(story.op().status?.nodeStatuses?.n1).toMatchObject({ phase: 'Failed', reason: 'PodRefused' });
    expect(story.op().status?.nodeStatuses?.n1?.message).toContain(WORDS);
    expect(story.createdJobs()).toEqual([]);
  });

  test('are tried again: once they are let in, the operation goes on', async () => {
    const story = refusing({});
    await story.run({ until: () => story.op().status?.nodeStatuses?.n1?.reason === 'PodRefused' });
    story.kube.onDryRun = () => undefined;
    await story.run();
    expect(story.op().status?.phase).toBe('Completed');
  });

  test('are asked about as they would be: privileged, in their namespace, and once', async () => {
    const story = smallCluster({});
    const asked: unknown[] = [];
    story.kube.onDryRun = (body, namespace) => void asked.push([namespace, body]);
    Object.assign(story.jobResults, { n1: 'Complete', n2: 'Complete' });
    await story.run();
    expect(asked).toEqual([
      [
        'default',
        expect.objectContaining({
          kind: 'Pod',
          spec: expect.objectContaining({
            containers: [expect.objectContaining({ securityContext: { privileged: true } })],
          }),
        }),
      ],
    ]);
  });
});
