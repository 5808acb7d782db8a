/** The node of the builder Pod is lost while the operator runs on another node. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Json } from '../kubectl.js';
import { artifact, inspectionJob } from './artifact-fixtures.js';
import { type ArtifactSetup, artifactSetup, finalStatus, exporterLog, LOGIN } from './artifact-setup.js';

jest.setTimeout(900_000);

const LIST = 'cd /artifacts; for file in *; do echo "$file $(sha256sum <"$file" | cut -d " " -f 1)"; done';
const ON_N2 = { 'kubernetes.io/hostname': 'n2' };
/** By default it takes five minutes until the Pods of a lost node are deleted. */
const SHORT_TOLERATIONS = ['not-ready', 'unreachable'].map(key => ({
  key: `node.kubernetes.io/${key}`,
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds: 5,
}));

let setup: ArtifactSetup;

beforeAll(async () => {
  setup = await artifactSetup(['away'], 2);
  /* Moves the operator away from the node that will be lost. */
  await setup.kubectl.do(['cordon', 'n2']);
  const pods = await setup.kubectl.getJson('pods', '-n', 'operator-system', '--field-selector', 'spec.nodeName=n2');
  for (const { metadata } of pods?.items ?? [])
    if (!metadata?.name?.includes('agent'))
      await setup.kubectl.do(['delete', 'pod', metadata?.name ?? '', '-n', 'operator-system']);
  const deployments = ['deployment/operator-controller', 'deployment/operator-webhook'];
  for (const name of deployments)
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

test('a build starts again when its Pod on a lost node is deleted', async () => {
  const exporter = inspectionJob(setup.tools, LIST);
  const { spec } = exporter.template;
  await setup.kubectl.apply(
    artifact('away', {
      imagePullSecrets: [{ name: LOGIN }],
      image: { ref: setup.registry.ref('ready:1') },
      artifacts: { iso: true },
      nodeSelector: ON_N2,
      tolerations: SHORT_TOLERATIONS,
      exporters: [{ template: { spec: { ...spec, nodeSelector: ON_N2 } } }],
    }),
  );
  await setup.kubectl.waitForObject(['osartifact', 'away'], isRunning('pull-image-baseimage'), 120);
  const node = setup.cluster.machine('n2');
  await node.powerCut({ stayOff: true });
  const isLost = ({ status }: Json) => /being deleted|on node n2/.test(String(status?.['message']));
  const lost = await setup.kubectl.waitForObject(['osartifact', 'away'], isLost, 120);
  expect(lost.status?.['phase']).toBe('Building');
  await node.powerOn();
  await setup.cluster.waitReady('n2');
  const { phase, outputs } = await finalStatus(setup, 'away');
  expect(phase).toBe('Ready');
  const files = (await exporterLog(setup, 'away')).trim().split('\n');
  expect(files).toEqual(outputs.map(({ name, sha256 }) => `${name} ${sha256}`).toSorted());
});
