/** Builds whose controller or node stops in the middle: they still complete, and no exporter gets a partial file. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { OPERATOR_NAMESPACE } from '../install.js';
import { type Json, waitFor } from '../kubectl.js';
import { artifact, inspectionJob, type Status } from './artifact-fixtures.js';
import { type ArtifactSetup, artifactSetup, finalStatus, exporterLog, LOGIN } from './artifact-setup.js';

jest.setTimeout(1_800_000);

/** The steps during which the controller is killed. */
const MOMENTS = [
  'pull-image-baseimage',
  'build-iso',
  'build-netboot',
  'build-cloud-image',
  'list-artifacts',
  'exporting',
] as const;
type Moment = (typeof MOMENTS)[number];

const NODE_MOMENTS = ['pull-image-baseimage', 'build-iso', 'build-cloud-image', 'exporting'] as const;
const RUNNING = 'status.phase=Running';

/** Lists every file with its checksum and size, including hidden ones. It waits first, so that it can be interrupted. */
const LIST = `sleep 5
cd /artifacts
find . -mindepth 1 | sed 's|^[.]/||' | while read -r file; do echo "file $file $(sha256sum <"$file" | cut -d ' ' -f 1) $(stat -c %s "$file")"; done`;

let setup: ArtifactSetup;

beforeAll(async () => {
  setup = await artifactSetup([
    'at-once',
    ...MOMENTS.map(moment => `controller-${moment}`),
    ...NODE_MOMENTS.map(moment => `node-${moment}`),
    'uploading',
    'powerless',
  ]);
});

afterAll(async () => {
  await setup?.stop();
});

const startBuild = (name: string) =>
  setup.kubectl.apply(
    artifact(name, {
      imagePullSecrets: [{ name: LOGIN }],
      imageName: setup.registry.ref('ready:1'),
      netboot: true,
      cloudImage: true,
      diskSize: '128',
      exporters: [{ ...inspectionJob(setup.tools, LIST), backoffLimit: 2 }],
    }),
  );

function isAt(moment: Moment) {
  return ({ status }: Json): boolean => {
    if (moment === 'exporting') return status?.['phase'] === 'Exporting';
    const steps = (status?.['steps'] ?? []) as Status['steps'];
    return steps.some(({ name, state }) => name === moment && state === 'Running');
  };
}

/** Starts a build and waits until it has reached that step. */
async function startUntil(name: string, moment: Moment): Promise<void> {
  await startBuild(name);
  /* A short step may be finished before it is observed. */
  const seen = (object: Json) => isAt(moment)(object) || object.status?.['phase'] === 'Ready';
  await setup.kubectl.waitForObject(['osartifact', name], seen, 120);
}

/** The files that the exporter found, and those in the status. */
async function result(name: string): Promise<{ found: string[]; known: string[] }> {
  const { phase, message, outputs } = await finalStatus(setup, name);
  if (phase !== 'Ready') throw new Error(`${name} ended as ${phase}: ${message}`);
  const lines = (await exporterLog(setup, name)).split('\n').filter(line => line.startsWith('file '));
  const known = outputs.map(output => `file ${output.name} ${output.sha256} ${output.size}`);
  return { found: lines.toSorted(), known: known.toSorted() };
}

/** The names of the files, after a check that the exporter found exactly those in the status. */
async function filesOf(name: string): Promise<string[]> {
  const { found, known } = await result(name);
  expect(found).toEqual(known);
  return known.map(line => line.split(' ')[1] ?? '');
}

const all = (name: string) =>
  ['.tar', '.squashfs', '-kernel', '-initrd', '.raw'].map(ending => name + ending).toSorted();

const buildersOf = async (name: string) =>
  ((await setup.kubectl.getJson('pods', '-l', `build.kairos.io/artifact=${name}`))?.items ?? [])
    .filter(pod => pod.metadata?.annotations?.['build.kairos.io/build'] !== undefined)
    .map(pod => pod.metadata?.['uid']);

describe('a build whose controller is killed', () => {
  const killController = () =>
    setup.kubectl.do([
      ...['delete', 'pods', '-n', OPERATOR_NAMESPACE, '-l', 'app.kubernetes.io/component=controller'],
      ...['--force', '--grace-period=0'],
    ]);

  test('completes when that happens before its Pod is created', async () => {
    await startBuild('at-once');
    await killController();
    expect(await filesOf('at-once')).toEqual(all('at-once'));
  });

  test.each(MOMENTS)('completes with the same Pod when that happens at %s', async moment => {
    const name = `controller-${moment}`;
    await startUntil(name, moment);
    const before = await buildersOf(name);
    await killController();
    expect(await filesOf(name)).toEqual(all(name));
    expect(await buildersOf(name)).toEqual(before);
  });
});

describe('a build whose node stops', () => {
  const node = () => setup.cluster.machine('n1');

  test.each(NODE_MOMENTS)('completes after the node rebooted at %s', async moment => {
    const name = `node-${moment}`;
    await startUntil(name, moment);
    const before = await setup.cluster.waitReady('n1');
    await node().hardReboot();
    await setup.cluster.waitReady('n1', { not: before });
    expect(await filesOf(name)).toEqual(all(name));
  });

  test('gives the same files to the next try of an exporter after a reboot', async () => {
    await startUntil('uploading', 'exporting');
    const exporters = ['pods', '-l', 'batch.kubernetes.io/job-name=uploading-export-0'];
    const found = async () => (await setup.kubectl.getJson(...exporters, '--field-selector', RUNNING))?.items?.length;
    await waitFor(async () => (await found()) === 1, { what: 'a running exporter', seconds: 30 });
    const before = await setup.cluster.waitReady('n1');
    await node().hardReboot();
    await setup.cluster.waitReady('n1', { not: before });
    expect(await filesOf('uploading')).toEqual(all('uploading'));
    expect((await setup.kubectl.getJson(...exporters))?.items).toHaveLength(2);
  });

  test('completes after a power failure of the node', async () => {
    await startUntil('powerless', 'build-iso');
    await node().powerCut({ stayOff: true });
    await setup.cluster.waitNotReady('n1');
    await node().powerOn();
    await setup.cluster.waitReady('n1');
    expect(await filesOf('powerless')).toEqual(all('powerless'));
  });
});
