/** Exporters that cannot run, that complete, or whose objects are deleted. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { JOBS, PODS, SECRETS, VOLUME_CLAIMS } from '../../../kube/resources.js';
import { DOCUMENTED, IMAGE } from './samples.js';
import { ArtifactSetup } from './setup.js';

const READY = { imageName: IMAGE, iso: true };
const WITH_EXPORTER = DOCUMENTED['iso-and-exporter'] ?? {};
const HOUR_MS = 3_601_000;

let setup = new ArtifactSetup();
beforeEach(() => {
  setup = new ArtifactSetup();
});

async function exporting(exporters = 1): Promise<void> {
  const { exporters: [exporter] = [], ...rest } = WITH_EXPORTER as { exporters?: object[] };
  await setup.create({ ...rest, exporters: Array.from({ length: exporters }, () => exporter) });
  await setup.setPodStatus('Succeeded', []);
}

/** A Pod of the first export Job. */
async function exportPod(status: object): Promise<void> {
  const [job] = setup.deps.exports.list();
  const owner = { apiVersion: 'batch/v1', kind: 'Job', name: 'os-export-0', uid: job?.metadata.uid, controller: true };
  const metadata = { name: 'os-export-0-x', ownerReferences: [owner], labels: { 'build.kairos.io/artifact': 'os' } };
  await setup.kube.create(PODS, { metadata, spec: {} }, 'default');
  await setup.kube.patch(
    PODS,
    { namespace: 'default', name: metadata.name },
    { status: { phase: 'Pending', ...status } },
    { subresource: 'status' },
  );
  await setup.settle();
}

describe('an exporter', () => {
  const waiting = { reason: 'ImagePullBackOff', message: 'manifest unknown' };
  const stuck = { containerStatuses: [{ name: 'copy', image: 'debian:x', state: { waiting } }] };

  test('is reported when it cannot start, and fails after an hour', async () => {
    await exporting();
    await exportPod(stuck);
    const message = 'export job os-export-0: image "debian:x" of container copy cannot be started: manifest unknown';
    expect(setup.phaseAndMessage()).toEqual(['Exporting', `0 of 1 exporters are done; ${message}`]);
    await setup.clock.advance(HOUR_MS);
    await setup.settle();
    expect(setup.phaseAndMessage()).toEqual(['Error', message]);
    expect(setup.jobs()).toEqual([]);
  });

  test.each([
    ['has run before and is restarted', { restartCount: 1 }, {}],
    ['is retried with another Pod', undefined, { failed: 1 }],
  ])('has no time limit when it %s', async (_, container, status) => {
    await exporting();
    await setup.setJobStatus('os-export-0', status);
    const backOff = { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } };
    if (container) await exportPod({ containerStatuses: [{ name: 'copy', ...container, state: backOff }] });
    await setup.clock.advance(HOUR_MS);
    await setup.settle();
    expect([setup.phaseAndMessage()[0], setup.jobs()]).toEqual(['Exporting', ['os-export-0']]);
  });

  test('is reported when it is suspended, and then has no time limit', async () => {
    await exporting();
    await setup.kube.patch(JOBS, { namespace: 'default', name: 'os-export-0' }, { spec: { suspend: true } });
    await setup.clock.advance(HOUR_MS);
    await setup.settle();
    expect(setup.phaseAndMessage()).toEqual([
      'Exporting',
      '0 of 1 exporters are done; export job os-export-0 is suspended',
    ]);
  });

  test('does not run again after a failure when a Secret of the build is deleted', async () => {
    await setup.secret('in', { 'cloud-config.yaml': 'a' });
    const { exporters } = WITH_EXPORTER as { exporters: object[] };
    await setup.create({ ...READY, cloudConfigRef: { name: 'in' }, exporters });
    await setup.setPodStatus('Succeeded', []);
    await exportPod(stuck);
    await setup.clock.advance(HOUR_MS);
    await setup.settle();
    await setup.kube.delete(SECRETS, { namespace: 'default', name: 'in' });
    await setup.settle();
    expect([setup.phaseAndMessage(), setup.jobs()]).toEqual([['Error', 'waiting for Secret "in"'], []]);
  });

  test('is reported when its Job has no Pod', async () => {
    await exporting();
    await setup.clock.advance(31_000);
    await setup.settle();
    expect(setup.phaseAndMessage()[1]).toBe(
      '0 of 1 exporters are done; export job os-export-0 has no Pod: kubectl describe job os-export-0 says why',
    );
  });

  test('does not run again when its completed Job is deleted before the others complete', async () => {
    await exporting(2);
    await setup.setJobCondition('os-export-0', 'Complete');
    await setup.kube.delete(JOBS, { namespace: 'default', name: 'os-export-0' });
    await setup.settle();
    expect([setup.jobs(), setup.phaseAndMessage()]).toEqual([
      ['os-export-1'],
      ['Exporting', '1 of 2 exporters are done'],
    ]);
    await setup.setJobCondition('os-export-1', 'Complete');
    expect(setup.phaseAndMessage()[0]).toBe('Ready');
  });

  const lost = {
    phase: 'Failed',
    containerStatuses: [{ name: 'copy', state: { terminated: { exitCode: 255, reason: 'Unknown' } } }],
  };

  test('gets another Job when its Job fails because its Pod was lost with its node', async () => {
    await exporting();
    const [first] = setup.deps.exports.list();
    await exportPod(lost);
    expect(setup.phaseAndMessage()[0]).toBe('Exporting');
    await setup.setJobCondition('os-export-0', 'Failed', 'BackoffLimitExceeded');
    expect(setup.phaseAndMessage()[0]).toBe('Exporting');
    expect(setup.deps.exports.list().map(({ metadata }) => metadata.uid)).not.toContain(first?.metadata.uid);
    expect(setup.status()?.exports).toMatchObject([{ job: 'os-export-0', state: 'Running', tries: 2 }]);
    await setup.setJobCondition('os-export-0', 'Complete');
    expect(setup.phaseAndMessage()[0]).toBe('Ready');
  });

  test('fails when its own Job deletes the Pod and fails', async () => {
    await exporting();
    await exportPod({ phase: 'Running' });
    const at = { namespace: 'default', name: 'os-export-0-x' };
    await setup.kube.patch(PODS, at, { metadata: { finalizers: ['test/stays'] } });
    await setup.kube.delete(PODS, at);
    await setup.setJobCondition('os-export-0', 'Failed', 'Job was active longer than specified deadline');
    expect(setup.phaseAndMessage()[0]).toBe('Error');
  });

  test('ignores a replaced Job that is still in the cache', async () => {
    await exporting();
    await exportPod(lost);
    const at = { namespace: 'default', name: 'os-export-0' };
    await setup.kube.patch(JOBS, at, { metadata: { finalizers: ['test/stays'] } });
    await setup.setJobCondition('os-export-0', 'Failed', 'BackoffLimitExceeded');
    await setup.kube.delete(PODS, { namespace: 'default', name: 'os-export-0-x' });
    await setup.settle();
    expect(setup.phaseAndMessage()[0]).toBe('Exporting');
    expect(setup.status()?.exports?.[0]?.tries).toBe(2);
    await setup.kube.patch(JOBS, at, { metadata: { finalizers: null } });
    await setup.settle();
    expect(setup.jobs()).toEqual(['os-export-0']);
  });

  test('is done when its completed Job is terminating', async () => {
    await exporting();
    const at = { namespace: 'default', name: 'os-export-0' };
    await setup.kube.patch(JOBS, at, { metadata: { finalizers: ['foregroundDeletion'] } });
    await setup.kube.delete(JOBS, at);
    await setup.setJobCondition('os-export-0', 'Complete');
    expect(setup.phaseAndMessage()[0]).toBe('Ready');
  });

  test('is deleted before another build of the same spec starts', async () => {
    await exporting();
    const at = { namespace: 'default', name: 'os-export-0' };
    await setup.kube.patch(JOBS, at, { metadata: { finalizers: ['test/stays'] } });
    await setup.change({ cloudImage: true });
    await setup.change({ cloudImage: null });
    expect([setup.phaseAndMessage()[0], setup.pods()]).toEqual(['Pending', []]);
    await setup.kube.patch(JOBS, at, { metadata: { finalizers: null } });
    await setup.settle();
    expect([setup.phaseAndMessage()[0], setup.pods().length, setup.jobs()]).toEqual(['Building', 1, []]);
  });

  test('fails when its Pod was lost four times', async () => {
    await exporting();
    for (let round = 0; round < 4; round += 1) {
      await exportPod(lost);
      await setup.setJobCondition('os-export-0', 'Failed', 'BackoffLimitExceeded');
      await setup.kube.delete(PODS, { namespace: 'default', name: 'os-export-0-x' });
    }
    expect(setup.phaseAndMessage()).toEqual(['Error', 'export job os-export-0 failed: BackoffLimitExceeded']);
  });

  test('gets another Job when its Job is deleted before it completes', async () => {
    await exporting();
    await setup.kube.delete(JOBS, { namespace: 'default', name: 'os-export-0' });
    await setup.settle();
    expect(setup.jobs()).toEqual(['os-export-0']);
  });
});

describe('the volume with the built files', () => {
  const { exporters: [exporter] = [] } = WITH_EXPORTER as { exporters?: { template: { spec: object } }[] };
  const build = (volume: object, exporters: object[]) =>
    setup.create({
      image: { ref: IMAGE },
      artifacts: { iso: true, volume: 'store' },
      volumes: [{ name: 'store', ...volume }],
      tolerations: [{ key: 'builders', operator: 'Exists' }],
      exporters,
    });
  const podSpecOf = (job: unknown) =>
    (job as { spec: { template: { spec: Record<string, unknown> } } }).spec.template.spec;
  const HERE = [{ key: 'metadata.name', operator: 'In', values: ['n7'] }];

  async function builtOn(node: string): Promise<void> {
    const [pod] = setup.pods();
    await setup.kube.patch(
      PODS,
      { namespace: 'default', name: pod?.metadata.name ?? '' },
      { spec: { nodeName: node } },
    );
    await setup.setPodStatus('Succeeded', []);
  }

  test('in a folder of a node: exporters run on that node, also when the builder Pod is gone', async () => {
    await build({ hostPath: { path: '/srv' } }, [exporter ?? {}]);
    await builtOn('n7');
    const [first] = setup.deps.exports.list();
    expect(podSpecOf(first)['tolerations']).toEqual([{ key: 'builders', operator: 'Exists' }]);
    for (const pod of setup.pods()) await setup.kube.delete(PODS, pod.metadata);
    await setup.kube.delete(JOBS, first?.metadata ?? { name: '' });
    await setup.settle();
    for (const job of [first, setup.deps.exports.list()[0]])
      expect(podSpecOf(job)['affinity']).toEqual({
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields: HERE }] },
        },
      });
  });

  test('in a folder of a node: each term of the own affinity of an exporter gets the node', async () => {
    const terms = ['a', 'b'].map(key => ({ matchExpressions: [{ key, operator: 'Exists' }] }));
    const affinity = {
      podAffinity: {},
      nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } },
    };
    const template = { ...exporter?.template, spec: { ...exporter?.template.spec, affinity } };
    await build({ hostPath: { path: '/srv' } }, [{ ...exporter, template }]);
    await builtOn('n7');
    expect(podSpecOf(setup.deps.exports.list()[0])['affinity']).toEqual({
      podAffinity: {},
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: terms.map(term => ({ ...term, matchFields: HERE })),
        },
      },
    });
  });

  test('elsewhere: exporters run on any node', async () => {
    await build({ persistentVolumeClaim: { claimName: 'store' } }, [exporter ?? {}]);
    await builtOn('n7');
    expect(podSpecOf(setup.deps.exports.list()[0])['affinity']).toBeUndefined();
  });

  test.each([
    ['a claim of the user', 'store', () => build({ persistentVolumeClaim: { claimName: 'store' } }, two)],
    ['the claim of the operator', 'os-artifacts', () => setup.create({ imageName: IMAGE, iso: true, exporters: two })],
  ])('that one Pod at a time can use: exporters run one after the other, with %s', async (_title, name, create) => {
    const claim = { metadata: { name }, spec: { accessModes: ['ReadWriteOncePod'] } };
    if (name === 'store') await setup.kube.create(VOLUME_CLAIMS, claim, 'default');
    await create();
    if (name !== 'store') await setup.kube.patch(VOLUME_CLAIMS, { namespace: 'default', name }, { spec: claim.spec });
    await setup.setPodStatus('Succeeded', []);
    const names = () => setup.jobs();
    expect(names()).toEqual(['os-export-0']);
    await setup.setJobStatus('os-export-0', { conditions: [{ type: 'Complete', status: 'True' }] });
    expect(names()).toEqual(['os-export-0', 'os-export-1']);
    await setup.setJobStatus('os-export-1', { conditions: [{ type: 'Complete', status: 'True' }] });
    expect(setup.phaseAndMessage()[0]).toBe('Ready');
  });

  const two = [exporter ?? {}, exporter ?? {}];
});
