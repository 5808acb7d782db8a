/** Nothing is waited for in silence, and nothing for ever. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { CONFIG_MAPS, JOBS, PODS, VOLUME_CLAIMS } from '../../../kube/resources.js';
import { DOCUMENTED, IMAGE } from './samples.js';
import { World } from './world.js';

const READY = { imageName: IMAGE, iso: true };
const WITH_EXPORTER = DOCUMENTED['iso-and-exporter'] ?? {};
const HOUR_MS = 3_601_000;
const failed = [{ name: 'build-iso', state: { terminated: { exitCode: 1, message: 'no' } } }];
const SUM = 'b'.repeat(64);

let world = new World();
beforeEach(() => {
  world = new World();
});

async function exporting(exporters = 1): Promise<void> {
  const { exporters: [exporter] = [], ...rest } = WITH_EXPORTER as { exporters?: object[] };
  await world.begin({ ...rest, exporters: Array.from({ length: exporters }, () => exporter) });
  await world.podSays('Succeeded', []);
}

/** A Pod of the first export Job. */
async function exportPod(status: object): Promise<void> {
  const [job] = world.deps.exports.list();
  const owner = { apiVersion: 'batch/v1', kind: 'Job', name: 'os-export-0', uid: job?.metadata.uid, controller: true };
  const metadata = { name: 'os-export-0-x', ownerReferences: [owner], labels: { 'build.kairos.io/artifact': 'os' } };
  await world.kube.create(PODS, { metadata, spec: {} }, 'default');
  await world.kube.patch(
    PODS,
    { namespace: 'default', name: metadata.name },
    { status: { phase: 'Pending', ...status } },
    { subresource: 'status' },
  );
  await world.settle();
}

describe('an exporter', () => {
  const waiting = { reason: 'ImagePullBackOff', message: 'manifest unknown' };
  const stuck = { containerStatuses: [{ name: 'copy', image: 'debian:x', state: { waiting } }] };

  test('that cannot start is told, and given up after an hour', async () => {
    await exporting();
    await exportPod(stuck);
    const words = 'export job os-export-0: image "debian:x" of container copy cannot be started: manifest unknown';
    expect(world.said()).toEqual(['Exporting', `0 of 1 exporters are done; ${words}`]);
    await world.clock.advance(HOUR_MS);
    await world.settle();
    expect(world.said()).toEqual(['Error', words]);
    expect(world.jobs()).toEqual([]);
  });

  test('that gets no Pod is told', async () => {
    await exporting();
    await world.clock.advance(31_000);
    await world.settle();
    expect(world.said()[1]).toBe(
      '0 of 1 exporters are done; export job os-export-0 has no Pod: kubectl describe job os-export-0 says why',
    );
  });

  test('that is done does not run again, though its Job is cleaned up before the others are done', async () => {
    await exporting(2);
    await world.jobSays('os-export-0', 'Complete');
    await world.kube.delete(JOBS, { namespace: 'default', name: 'os-export-0' });
    await world.settle();
    expect([world.jobs(), world.said()]).toEqual([['os-export-1'], ['Exporting', '1 of 2 exporters are done']]);
    await world.jobSays('os-export-1', 'Complete');
    expect(world.said()[0]).toBe('Ready');
  });

  test('whose Job is deleted before it is done gets another', async () => {
    await exporting();
    await world.kube.delete(JOBS, { namespace: 'default', name: 'os-export-0' });
    await world.settle();
    expect(world.jobs()).toEqual(['os-export-0']);
  });
});

describe('what was put right', () => {
  test.each([
    ['a cloud-config', { cloudConfigRef: { name: 'in' } }, { 'cloud-config.yaml': 'a' }, { 'cloud-config.yaml': 'b' }],
    [
      'a pull secret',
      { imagePullSecrets: [{ name: 'in' }] },
      { '.dockerconfigjson': '{"auths":{}}' },
      { '.dockerconfigjson': '{"auths":{"a":{}}}' },
    ],
  ])('%s is picked up after a failure', async (_, spec, before, after) => {
    await world.secret('in', before);
    await world.begin({ ...READY, ...spec });
    const [first] = world.pods();
    await world.podSays('Failed', failed);
    await world.settle();
    expect(world.said()[0]).toBe('Error');
    await world.secret('in', after);
    await world.settle();
    expect(world.said()[0]).toBe('Building');
    expect(world.pods()[0]?.metadata.uid).not.toBe(first?.metadata.uid);
  });

  test('an empty cloud-config is said at once', async () => {
    await world.secret('in', { 'cloud-config.yaml': '\n' });
    await world.begin({ ...READY, cloudConfigRef: { name: 'in' } });
    expect(world.said()).toEqual([
      'Error',
      'entry "cloud-config.yaml" of Secret "in" is empty: it must be a cloud-config',
    ]);
  });

  test('an older kind of pull secret is read, too', async () => {
    await world.secret('in', { '.dockercfg': '{"registry.example":{"auth":"x"}}' });
    await world.begin({ ...READY, imagePullSecrets: [{ name: 'in' }] });
    expect(world.said()[0]).toBe('Building');
  });
});

describe('a volume', () => {
  const nested = (volume: object) => ({
    image: { ref: IMAGE },
    artifacts: { iso: true, overlayISOVolume: 'files' },
    volumes: [{ name: 'files', ...volume }],
  });

  test.each([
    ['Secret', { secret: { secretName: 'files' } }],
    ['ConfigMap', { configMap: { name: 'files' } }],
  ])('of a %s that is not there is waited for by name', async (kind, volume) => {
    await world.begin(nested(volume));
    expect(world.said()).toEqual(['Pending', `waiting for ${kind} "files"`]);
    if (kind === 'Secret') await world.secret('files', { a: 'b' });
    else await world.kube.create(CONFIG_MAPS, { metadata: { name: 'files' } }, 'default');
    await world.settle();
    expect(world.said()[0]).toBe('Building');
  });

  test('that may be absent is not waited for', async () => {
    await world.begin(nested({ secret: { secretName: 'files', optional: true } }));
    expect(world.said()[0]).toBe('Building');
  });

  test('that is missing otherwise shows in a Pod that does not start', async () => {
    await world.begin(READY);
    await world.podSays('Pending', [{ name: 'build-iso', state: { waiting: { reason: 'PodInitializing' } } }]);
    await world.clock.advance(61_000);
    await world.settle();
    expect(world.said()[1]).toMatch(/^container build-iso has been starting since .*kubectl describe pod os-\w+ says/);
  });

  test('to build in that was made for another spec stays, and that is told', async () => {
    await world.begin({ ...READY, volume: { resources: { requests: { storage: '1Gi' } } } });
    await world.podSays('Succeeded', []);
    await world.change({ ...READY, cloudImage: true });
    expect(world.reasons()).not.toContain('ClaimKept');
    await world.podSays('Succeeded', []);
    await world.change({ ...READY, volume: { resources: { requests: { storage: '2Gi' } } } });
    expect(world.reasons()).toContain('ClaimKept');
    expect(world.claims()).toHaveLength(1);
    await world.kube.delete(VOLUME_CLAIMS, { namespace: 'default', name: 'os-artifacts' });
  });
});

describe('patience', () => {
  const since = (minutes: number) => new Date(world.clock.now().getTime() + minutes * 60_000).toISOString();

  test('counts from the end of the last step, not from the start of the Pod', async () => {
    await world.begin(READY);
    const waiting = { reason: 'ErrImagePull', message: 'away' };
    const containers = [
      { name: 'pull-image-baseimage', state: { terminated: { exitCode: 0, finishedAt: since(90) } } },
      { name: 'build-iso', image: 'x', state: { waiting } },
    ];
    await world.clock.advance(100 * 60_000);
    await world.podSays('Pending', containers, { startTime: since(-100) });
    expect(world.said()[0]).toBe('Building');
    await world.clock.advance(60 * 60_000);
    await world.settle();
    expect(world.said()[0]).toBe('Error');
  });
});

describe('on the way', () => {
  test('each step is told when it is done, and its files as soon as they are known', async () => {
    await world.begin(READY);
    const times = { startedAt: '2026-01-01T00:00:00Z', finishedAt: '2026-01-01T00:00:12Z' };
    const first = {
      name: 'one',
      state: { terminated: { exitCode: 0, message: `${SUM} ${22 * 2 ** 20} os.tar\n`, ...times } },
    };
    const second = { name: 'two', state: { running: { startedAt: times.finishedAt } } };
    await world.podSays('Pending', [first, second, { name: 'three', state: {} }]);
    expect(world.said()).toEqual(['Building', 'step 2 of 3, two, is running; so far os.tar (22 MiB)']);
    expect(world.status()).toMatchObject({
      progress: '1/3',
      outputs: [{ name: 'os.tar', size: 22 * 2 ** 20, sha256: SUM }],
    });
    await world.settle();
    expect(world.events.map(({ message }) => message)).toContain('step 1 of 3, one, is done after 12 s');
    expect(world.reasons()).toEqual(['Building', 'StepDone']);
  });
});
