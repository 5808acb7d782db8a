/** The builder's node goes away while the operator lives on elsewhere: what is told meanwhile, and how it ends. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Json } from '../kubectl.js';
import { artifact, inspectionJob } from './artifact-fixtures.js';
import { type ArtifactSetup, artifactSetup, finalStatus, exporterLog, LOGIN } from './artifact-setup.js';

jest.setTimeout(900_000);

const LIST = 'cd /artifacts; for file in *; do echo "$file $(sha256sum <"$file" | cut -d " " -f 1)"; done';
const THERE = { 'kubernetes.io/hostname': 'n2' };
/** Elsewhere it takes five minutes until a node is given up. */
const IMPATIENT = ['not-ready', 'unreachable'].map(key => ({
  key: `node.kubernetes.io/${key}`,
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds: 5,
}));

let setup: ArtifactSetup;

beforeAll(async () => {
  setup = await artifactSetup(['away'], 2);
  /* The operator outlives the other node. */
  await setup.kubectl.do(['cordon', 'n2']);
  const pods = await setup.kubectl.getJson('pods', '-n', 'operator-system', '--field-selector', 'spec.nodeName=n2');
  for (const { metadata } of pods?.items ?? [])
    if (!metadata?.name?.includes('agent'))
      await setup.kubectl.do(['delete', 'pod', metadata?.name ?? '', '-n', 'operator-system']);
  const program = ['deployment/operator-controller', 'deployment/operator-webhook'];
  for (const name of program)
    await setup.kubectl.do(['rollout', 'status', name, '-n', 'operator-system', '--timeout=90s'], { seconds: 100 });
  await setup.kubectl.do(['uncordon', 'n2']);
});

afterAll(async () => {
  await setup?.cluster.restoreNodes();
  await setup?.stop();
});

const isRunning =
  (step: string) =>
  ({ status }: Json): boolean =>
    ((status?.['steps'] ?? []) as { name: string; state: string }[]).some(
      ({ name, state }) => name === step && state === 'Running',
    );

test('a node that is given up is waited for, and the build begins again when its Pod is gone', async () => {
  const exporter = inspectionJob(setup.tools, LIST);
  const { spec } = exporter.template;
  await setup.kubectl.apply(
    artifact('away', {
      imagePullSecrets: [{ name: LOGIN }],
      image: { ref: setup.registry.ref('ready:1') },
      artifacts: { iso: true },
      nodeSelector: THERE,
      tolerations: IMPATIENT,
      exporters: [{ template: { spec: { ...spec, nodeSelector: THERE } } }],
    }),
  );
  await setup.kubectl.waitForObject(['osartifact', 'away'], isRunning('pull-image-baseimage'), 120);
  const node = setup.cluster.machine('n2');
  await node.powerCut({ stayOff: true });
  const isGivenUp = ({ status }: Json) => /being deleted|on node n2/.test(String(status?.['message']));
  const told = await setup.kubectl.waitForObject(['osartifact', 'away'], isGivenUp, 120);
  expect(told.status?.['phase']).toBe('Building');
  await node.powerOn();
  await setup.cluster.waitReady('n2');
  const { phase, outputs } = await finalStatus(setup, 'away');
  expect(phase).toBe('Ready');
  const files = (await exporterLog(setup, 'away')).trim().split('\n');
  expect(files).toEqual(outputs.map(({ name, sha256 }) => `${name} ${sha256}`).toSorted());
});
