/** When the template of an OSArtifact is rendered, and when it is not rendered again. */
import { OS_ARTIFACT } from '../../../api/kinds.js';
import { beforeEach, describe, expect, jest, test } from '@jest/globals';
import { reconcileArtifact } from '../../../controller/artifact/controller.js';
import { MAX_RENDERINGS } from '../../../controller/artifact/decide/rendering.js';
import type { RenderOutcome } from '../../../controller/artifact/rendering/renderer.js';
import { AT, ArtifactSetup, renderHere } from './setup.js';

const SPEC = { baseImageDockerfile: { name: 'def', key: 'Dockerfile' }, iso: true };

let setup: ArtifactSetup;
let renderings: number;
/** Replaces the outcome of rendering. */
let outcome: (() => Promise<RenderOutcome>) | undefined;

beforeEach(() => {
  setup = new ArtifactSetup();
  renderings = 0;
  outcome = undefined;
  setup.render = job => {
    renderings += 1;
    return outcome ? outcome() : renderHere(job);
  };
});

/** What another replica, or the same one after a restart, does. */
async function restart(): Promise<void> {
  setup.deps.run = `run ${renderings} of another process`;
  await setup.settle();
}

describe('a template', () => {
  test('with a fault is not rendered again until an input changes, not even after a restart', async () => {
    await setup.secret('def', { Dockerfile: 'FROM x\n{{ nothing }}' });
    await setup.create(SPEC);
    const fault = ['Error', 'entry "Dockerfile" of Secret "def", line 2, column 4: function not defined'];
    expect([renderings, ...setup.phaseAndMessage()]).toEqual([1, ...fault]);
    for (let i = 0; i < 3; i += 1) await restart();
    expect([renderings, ...setup.phaseAndMessage()]).toEqual([1, ...fault]);
    await setup.secret('def', { Dockerfile: 'FROM x' });
    await setup.settle();
    expect([renderings, setup.pods().length]).toEqual([2, 1]);
    await setup.setPodStatus('Running');
    expect(setup.status()).not.toHaveProperty('rendering');
  });

  test('with a fault is rendered again when the spec changes or a retry is requested', async () => {
    await setup.secret('def', { Dockerfile: 'FROM x\n{{ eq .A 1 }}' });
    await setup.create(SPEC);
    await setup.change({ ...SPEC, dockerfileTemplateValues: { A: '2' } });
    expect(renderings).toBe(2);
    await setup.kube.patch(OS_ARTIFACT, AT, {
      metadata: { annotations: { 'operator.kairos.io/retry': '1' } },
    });
    await setup.settle();
    expect(renderings).toBe(3);
  });

  test('with a fault keeps its message while another input cannot be read for a moment', async () => {
    await setup.secret('def', { Dockerfile: '{{ nothing }}' });
    await setup.create(SPEC);
    const before = setup.phaseAndMessage();
    const lost = jest.spyOn(setup.kube, 'get').mockRejectedValue(new Error('connection lost'));
    await expect(reconcileArtifact(AT, setup.deps)).rejects.toThrow('connection lost');
    lost.mockRestore();
    await setup.settle();
    expect([renderings, ...setup.phaseAndMessage()]).toEqual([1, ...before]);
  });

  test('that exceeds the memory or time of a worker is tried three times, then rejected', async () => {
    outcome = () => Promise.resolve({ is: 'interrupted', message: 'takes longer than 10 s' });
    await setup.secret('def', { Dockerfile: 'FROM x' });
    await setup.create(SPEC);
    const message = 'entry "Dockerfile" of Secret "def": the template takes longer than 10 s';
    expect([renderings, ...setup.phaseAndMessage()]).toEqual([MAX_RENDERINGS, 'Error', message]);
    expect(setup.reasons()).toContain('InvalidInput');
    await restart();
    expect(renderings).toBe(MAX_RENDERINGS);
  });

  test('that ends the controller is tried three times, then rejected', async () => {
    outcome = () => Promise.reject(new Error('the process ends here'));
    await setup.secret('def', { Dockerfile: 'FROM x' });
    await setup.create(SPEC).catch(() => undefined);
    for (let i = 0; i < 5; i += 1) await restart().catch(() => undefined);
    expect([renderings, setup.status()?.phase]).toEqual([MAX_RENDERINGS, 'Error']);
    expect(setup.status()?.message).toContain('it is rendered again when it changes');
    outcome = undefined;
    await setup.secret('def', { Dockerfile: 'FROM y' });
    await restart();
    expect(setup.pods()).toHaveLength(1);
  });

  test('is not rejected because the API server fails after it was rendered', async () => {
    await setup.secret('def', { Dockerfile: 'FROM x' });
    await setup.create({ ...SPEC, baseImageDockerfile: { name: 'none' } });
    const unavailable = jest.spyOn(setup.kube, 'create').mockRejectedValue(new Error('unavailable'));
    await expect(setup.change(SPEC)).rejects.toThrow('unavailable');
    for (let i = 0; i < 5; i += 1) await expect(setup.settle()).rejects.toThrow('unavailable');
    unavailable.mockRestore();
    await setup.settle();
    expect(setup.pods()).toHaveLength(1);
  });

  test('of a failed build is not rendered while nothing changes', async () => {
    await setup.secret('def', { Dockerfile: 'FROM x' });
    await setup.create(SPEC);
    await setup.setPodStatus('Failed', [
      { name: 'buildah-build', state: { terminated: { exitCode: 1, message: 'x' } } },
    ]);
    await restart();
    expect([renderings, setup.status()?.phase]).toEqual([1, 'Error']);
  });

  test('waits with a reason while another one is rendered, and is rendered then', async () => {
    await setup.secret('def', { Dockerfile: 'FROM x' });
    setup.deps.turns.take('other/os', 'other');
    await setup.create(SPEC);
    expect([renderings, ...setup.phaseAndMessage()]).toEqual([
      0,
      'Pending',
      'waiting until other definitions are rendered',
    ]);
    setup.deps.turns.end('other/os');
    await setup.settle();
    expect([renderings, setup.pods().length]).toEqual([1, 1]);
  });

  test('gives its turn to the next one when its object was deleted while it waited', async () => {
    await setup.secret('def', { Dockerfile: 'FROM x' });
    setup.deps.turns.take('other/os', 'other');
    await setup.create(SPEC);
    await setup.kube.delete(OS_ARTIFACT, AT);
    setup.deps.turns.end('other/os');
    expect(setup.deps.turns.take('other/next', 'other')).toBe(false);
    await reconcileArtifact(AT, setup.deps);
    expect(setup.deps.turns.take('other/next', 'other')).toBe(true);
  });

  test('gives its turn to the next one whether it was rendered or not', async () => {
    outcome = () => Promise.reject(new Error('no worker'));
    await setup.secret('def', { Dockerfile: 'FROM x' });
    await expect(setup.create(SPEC)).rejects.toThrow('no worker');
    expect(setup.deps.turns.take('other/os', 'other')).toBe(true);
  });
});
