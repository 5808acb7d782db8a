/** Admission of OSArtifacts by a real API server, with and without the webhook program. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { apiVersion, OS_ARTIFACT } from '../../api/kinds.js';
import { DOCUMENTED, NESTED_ALL } from '../controller/artifact/samples.js';
import { ControlPlane } from './control-plane.js';
import { waitFor } from './wait.js';
import { WebhookProgram } from './webhook-program.js';

jest.setTimeout(900_000); // the programs may have to be compiled first

let plane: ControlPlane;
let program: WebhookProgram;

beforeAll(async () => {
  plane = await ControlPlane.start({ name: 'os-artifact-admission' });
  program = await WebhookProgram.install(plane);
});

afterAll(async () => {
  await program?.stop();
  await plane?.stop();
});

const dryRun = async (spec: object) => {
  const metadata = { name: 'dry-run', namespace: 'default' };
  const stdin = JSON.stringify({ apiVersion: apiVersion(OS_ARTIFACT), kind: OS_ARTIFACT.kind, metadata, spec });
  return await plane.kubectl.try(['create', '--dry-run=server', '-f', '-'], { stdin });
};
const refusal = async (spec: object): Promise<string> => (await dryRun(spec)).stderr;

test('keys are required for unified kernel images while the webhook is absent', async () =>
  expect(await refusal({ image: { ref: 'x' }, artifacts: { uki: { iso: true } } })).toContain(
    'keysVolume is needed for any unified kernel image',
  ));

describe('the webhook', () => {
  beforeAll(async () => {
    await program.configure();
    await program.start('webhook');
    await waitFor(async () => (await refusal({ imageName: 'x' })).includes('spec.iso'), {
      what: 'the API server to call the webhook',
      seconds: 60,
    });
  });

  test.each([...Object.entries(DOCUMENTED), ['nested-all', NESTED_ALL] as const])(
    'admits the example %s',
    async (_, spec) => expect((await dryRun(spec)).code).toBe(0),
  );

  test('reports all faults at once, each with its path', async () => {
    const artifacts = { uki: { efi: true }, overlayISOVolume: 'missing' };
    const message = await refusal({
      image: { push: true, ociSpec: { ref: { name: 'd' } } },
      artifacts,
      volumes: [{ name: 'rootfs' }],
    });
    for (const path of [
      'spec.image.buildImage',
      'spec.artifacts.uki.keysVolume',
      'spec.artifacts.overlayISOVolume',
      'spec.volumes[0].name',
    ])
      expect(message).toContain(path);
  });

  test('rejects a mix of both shapes', async () =>
    expect(await refusal({ image: { ref: 'x' }, artifacts: { iso: true }, imageName: 'x' })).toContain(
      'spec.imageName: Forbidden',
    ));
});
