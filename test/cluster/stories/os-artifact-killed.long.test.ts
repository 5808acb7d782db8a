/** Builds whose controller, or whose node, ends in the middle: they end right, and nobody is given half a file. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { OPERATOR_NAMESPACE } from '../install.js';
import { type Json, waitFor } from '../kubectl.js';
import { artifact, inspectionJob, type Status } from './artifact-fixtures.js';
import { type ArtifactSetup, artifactSetup, finalStatus, exporterLog, LOGIN } from './artifact-setup.js';

jest.setTimeout(1_800_000);

/** Where a build of these is when something ends. */
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

/** Tells of each file, hidden ones and folders, too; takes its time, so that it can be caught at it. */
const TELL = `sleep 5
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

const begin = (name: string) =>
  setup.kubectl.apply(
    artifact(name, {
      imagePullSecrets: [{ name: LOGIN }],
      imageName: setup.registry.ref('ready:1'),
      netboot: true,
      cloudImage: true,
      diskSize: '128',
      exporters: [{ ...inspectionJob(setup.tools, TELL), backoffLimit: 2 }],
    }),
  );

function isAt(moment: Moment) {
  return ({ status }: Json): boolean => {
    if (moment === 'exporting') return status?.['phase'] === 'Exporting';
    const steps = (status?.['steps'] ?? []) as Status['steps'];
    return steps.some(({ name, state }) => name === moment && state === 'Running');
  };
}

/** Begins a build and waits for that moment of it. */
async function caughtAt(name: string, moment: Moment): Promise<void> {
  await begin(name);
  /* A short step may be over before anybody sees it. */
  const seen = (object: Json) => isAt(moment)(object) || object.status?.['phase'] === 'Ready';
  await setup.kubectl.waitForObject(['osartifact', name], seen, 120);
}

/** All that the exporter found in the end, and all that should be there. */
async function result(name: string): Promise<{ found: string[]; known: string[] }> {
  const { phase, message, outputs } = await finalStatus(setup, name);
  if (phase !== 'Ready') throw new Error(`${name} ended as ${phase}: ${message}`);
  const told = (await exporterLog(setup, name)).split('\n').filter(line => line.startsWith('file '));
  const known = outputs.map(output => `file ${output.name} ${output.sha256} ${output.size}`);
  return { found: told.toSorted(), known: known.toSorted() };
}

/** Nothing is missing, and nothing is there that was not meant. */
async function filesOf(name: string): Promise<string[]> {
  const { found, known } = await result(name);
  expect(found).toEqual(known);
  return known.map(line => line.split(' ')[1] ?? '');
}

const all = (name: string) =>
  ['.tar', '.iso', '.squashfs', '-kernel', '-initrd', '.raw'].map(ending => name + ending).toSorted();

const buildersOf = async (name: string) =>
  ((await setup.kubectl.getJson('pods', '-l', `build.kairos.io/artifact=${name}`))?.items ?? [])
    .filter(pod => pod.metadata?.annotations?.['build.kairos.io/build'] !== undefined)
    .map(pod => pod.metadata?.['uid']);

describe('the controller is gone from one moment to the next', () => {
  const killed = () =>
    setup.kubectl.do([
      ...['delete', 'pods', '-n', OPERATOR_NAMESPACE, '-l', 'app.kubernetes.io/component=controller'],
      ...['--force', '--grace-period=0'],
    ]);

  test('before there is any Pod', async () => {
    await begin('at-once');
    await killed();
    expect(await filesOf('at-once')).toEqual(all('at-once'));
  });

  test.each(MOMENTS)('at %s', async moment => {
    const name = `controller-${moment}`;
    await caughtAt(name, moment);
    const before = await buildersOf(name);
    await killed();
    expect(await filesOf(name)).toEqual(all(name));
    expect(await buildersOf(name)).toEqual(before);
  });
});

describe('the node of the builder', () => {
  const node = () => setup.cluster.machine('n1');

  test.each(NODE_MOMENTS)('reboots at %s', async moment => {
    const name = `node-${moment}`;
    await caughtAt(name, moment);
    const before = await setup.cluster.waitReady('n1');
    await node().hardReboot();
    await setup.cluster.waitReady('n1', { not: before });
    expect(await filesOf(name)).toEqual(all(name));
  });

  test('reboots while an exporter is at work: the next try finds the same files', async () => {
    await caughtAt('uploading', 'exporting');
    const exporters = ['pods', '-l', 'batch.kubernetes.io/job-name=uploading-export-0'];
    const found = async () => (await setup.kubectl.getJson(...exporters, '--field-selector', RUNNING))?.items?.length;
    await waitFor(async () => (await found()) === 1, { what: 'an exporter at work', seconds: 30 });
    const before = await setup.cluster.waitReady('n1');
    await node().hardReboot();
    await setup.cluster.waitReady('n1', { not: before });
    expect(await filesOf('uploading')).toEqual(all('uploading'));
    expect((await setup.kubectl.getJson(...exporters))?.items).toHaveLength(2);
  });

  test('loses its power, and gets it back', async () => {
    await caughtAt('powerless', 'build-iso');
    await node().powerCut({ stayOff: true });
    await setup.cluster.waitNotReady('n1');
    await node().powerOn();
    await setup.cluster.waitReady('n1');
    expect(await filesOf('powerless')).toEqual(all('powerless'));
  });
});
