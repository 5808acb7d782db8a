import { describe, expect, test } from '@jest/globals';
import { KubeError } from '../../../../kube/errors.js';
import { AdmissionRehearsal } from '../../../../controller/nodeop/reads/admission-rehearsal.js';
import { facts, nodeOp } from '../../../builders.js';
import { type FakeClock, fakeClock } from '../../../fakes/clock.js';
import { smallCluster } from '../small-cluster.js';

const MESSAGE = 'pods "op-" is forbidden: violates PodSecurity "restricted:latest": privileged';

describe('The admission rehearsal', () => {
  const refusingCluster = (spec: object) => {
    const cluster = smallCluster(spec);
    cluster.kube.onDryRun = () => {
      throw new KubeError(403, MESSAGE, 'Forbidden');
    };
    Object.assign(cluster.jobResults, { n1: 'Complete', n2: 'Complete' });
    return cluster;
  };

  test('keeps every node undisturbed while the Pod would be refused', async () => {
    const cluster = refusingCluster({ cordon: true });
    await cluster.run({ until: () => cluster.op().status?.nodeStatuses?.n1?.reason === 'PodRefused' });
    expect(cluster.op().status?.nodeStatuses?.n1).toMatchObject({
      phase: 'Pending',
      message: `the Pod of the Job would be refused: ${MESSAGE}`,
    });
    expect(cluster.agents().map(({ spec }) => spec.operation)).toEqual([undefined, undefined]);
    expect(cluster.node('n1')?.spec?.unschedulable).toBeUndefined();
    expect(cluster.events).toContainEqual(expect.objectContaining({ reason: 'PodRefused', message: MESSAGE }));
  });

  test.each<[string, KubeError]>([
    ['a quota', new KubeError(403, 'exceeded quota: small', 'Forbidden')],
    ['an admission webhook that does not answer', new KubeError(500, 'failed calling webhook', 'InternalError')],
  ])('reports a refusal by %s', async (_sentence, refusal) => {
    const cluster = refusingCluster({});
    cluster.kube.onDryRun = () => {
      throw refusal;
    };
    await cluster.run({ until: () => cluster.op().status?.nodeStatuses?.n1?.reason === 'PodRefused' });
    expect(cluster.op().status?.nodeStatuses?.n1?.message).toContain(refusal.message);
  });

  test('fails the nodes although the message names another Pod each time', async () => {
    const cluster = refusingCluster({ startDeadlineSeconds: 60 });
    cluster.kube.onDryRun = body => {
      const prefix = (body as { metadata: { generateName: string } }).metadata.generateName;
      throw new KubeError(403, `pods "${prefix}${Math.random().toString(36).slice(2, 7)}" is forbidden`, 'Forbidden');
    };
    /* One pass a second. */
    expect(await cluster.run()).toBeLessThan(80);
    expect(cluster.op().status).toMatchObject({ phase: 'Failed', nodes: { failed: 2 } });
  });

  test('does not delay a started node when the API server gives no answer', async () => {
    const cluster = smallCluster({ concurrency: 1 });
    await cluster.run({ until: () => cluster.op().status?.nodes?.active === 1 });
    cluster.kube.onDryRun = () => {
      throw new KubeError(503, 'etcdserver: leader changed', 'ServiceUnavailable');
    };
    cluster.jobResults.n1 = 'Complete';
    await cluster.run({ until: () => cluster.op().status?.nodeStatuses?.n1?.phase === 'Completed' });
    expect(cluster.op().status?.nodeStatuses?.n2?.message).toBe(
      'it is unknown whether the Pod of the Job would be admitted: etcdserver: leader changed',
    );
  });

  test('is not repeated after a restart when all nodes have started', async () => {
    const cluster = smallCluster({});
    await cluster.run({ until: () => cluster.op().status?.nodes?.active === 2 });
    cluster.kube.onDryRun = () => {
      throw new KubeError(503, 'etcdserver: leader changed', 'ServiceUnavailable');
    };
    Object.assign(cluster.jobResults, { n1: 'Complete', n2: 'Complete' });
    await cluster.run();
    expect(cluster.op().status?.phase).toBe('Completed');
  });

  test.each(['op', `${'a'.repeat(49)}.b`, `${'a'.repeat(200)}.${'b'.repeat(52)}`])(
    'uses a valid Pod name for operation %s',
    async name => {
      const submitted: string[] = [];
      const kube = {
        dryRun: async (
          _resource: unknown,
          { kind, metadata }: { kind?: string; metadata?: { generateName?: string } },
        ) => void (kind === 'Pod' && submitted.push(metadata?.generateName ?? '')),
      };
      const settings = { defaultImage: 'tool', sentinel: { image: 'agent', command: [] } };
      await new AdmissionRehearsal({ kube, clock: fakeClock(), ...settings }).refusal(
        nodeOp({}, { metadata: { name } }),
        'n1',
      );
      expect(submitted).toEqual([expect.stringMatching(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?-$/)]);
    },
  );

  test('fails the nodes after startDeadlineSeconds', async () => {
    const cluster = refusingCluster({ startDeadlineSeconds: 20 });
    await cluster.run();
    expect(cluster.op().status).toMatchObject({ phase: 'Failed', nodes: { failed: 2 } });
    expect(cluster.op().status?.nodeStatuses?.n1).toMatchObject({ phase: 'Failed', reason: 'PodRefused' });
    expect(cluster.op().status?.nodeStatuses?.n1?.message).toContain(MESSAGE);
    expect(cluster.createdJobs()).toEqual([]);
  });

  test('is repeated, and the operation continues once the Pod is admitted', async () => {
    const cluster = refusingCluster({});
    await cluster.run({ until: () => cluster.op().status?.nodeStatuses?.n1?.reason === 'PodRefused' });
    cluster.kube.onDryRun = () => undefined;
    await cluster.run();
    expect(cluster.op().status?.phase).toBe('Completed');
  });

  test('submits the privileged Pod and its Job in their namespace, once', async () => {
    const cluster = smallCluster({});
    const submitted: unknown[] = [];
    cluster.kube.onDryRun = (body, namespace) => void submitted.push([namespace, body]);
    Object.assign(cluster.jobResults, { n1: 'Complete', n2: 'Complete' });
    await cluster.run();
    expect(submitted).toEqual([
      [
        'default',
        expect.objectContaining({
          kind: 'Pod',
          spec: expect.objectContaining({
            containers: [expect.objectContaining({ securityContext: { privileged: true } })],
          }),
        }),
      ],
      ['default', expect.objectContaining({ kind: 'Job', spec: expect.objectContaining({ suspend: true }) })],
    ]);
  });

  test('keeps every node undisturbed while the Job would be refused, although its Pod would not', async () => {
    const cluster = smallCluster({ cordon: true });
    cluster.kube.onDryRun = body => {
      if ((body as { kind: string }).kind === 'Job') throw new KubeError(403, 'Jobs need a team label', 'Forbidden');
    };
    await cluster.run({ until: () => cluster.op().status?.nodeStatuses?.n1?.reason === 'PodRefused' });
    expect(cluster.op().status?.nodeStatuses?.n1?.message).toContain('Jobs need a team label');
    expect(cluster.node('n1')?.spec?.unschedulable).toBeUndefined();
  });

  describe('of a Pod that is refused', () => {
    const refusedRehearsal = () => {
      const [clock, asked]: [FakeClock, number[]] = [fakeClock(), []];
      const dryRun = async () => {
        asked.push(clock.monotonic());
        throw new KubeError(403, 'exceeded quota: small', 'Forbidden');
      };
      const settings = { defaultImage: 'tool', sentinel: { image: 'agent', command: [] } };
      const rehearsal = new AdmissionRehearsal({ kube: { dryRun }, clock, ...settings });
      /** The pauses between the next questions, if a pass follows when the answer says and every second besides. */
      const pauses = async (count: number) => {
        const known = asked.length;
        while (asked.length < known + count) {
          const answer = await rehearsal.refusal(nodeOp(), 'n1');
          const waitMs = (answer?.retryAt?.getTime() ?? 0) - clock.now().getTime();
          await clock.advance(Math.min(waitMs, 1_000));
        }
        return asked.slice(known).map((at, index) => (at - (asked[known + index - 1] ?? at)) / 1_000);
      };
      return { rehearsal, pauses };
    };

    test('is repeated after 2 s, and then after pauses that double up to a minute', async () => {
      const { pauses } = refusedRehearsal();
      expect(await pauses(9)).toEqual([0, 2, 4, 8, 16, 32, 60, 60, 60]);
    });

    test('is repeated after 2 s again when something in its namespace has ended', async () => {
      const { rehearsal, pauses } = refusedRehearsal();
      await pauses(5);
      expect([rehearsal.retrySoon('other'), rehearsal.retrySoon('default')]).toEqual([false, true]);
      expect(await pauses(3)).toEqual([2, 4, 8]);
    });
  });

  test('gives the words of the API server about a Pod that a running Job lacks', async () => {
    const kube = {
      dryRun: async () => {
        throw new KubeError(403, 'exceeded quota: small', 'Forbidden');
      },
    };
    const settings = { defaultImage: 'tool', sentinel: { image: 'agent', command: [] } };
    const rehearsal = new AdmissionRehearsal({ kube, clock: fakeClock(), ...settings });
    expect(await rehearsal.refusalOfPod(facts())).toEqual({ is: 'refused', message: 'exceeded quota: small' });
  });
});
