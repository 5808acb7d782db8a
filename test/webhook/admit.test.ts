import { describe, expect, test } from '@jest/globals';
import { mutate, validate, validateInCluster } from '../../webhook/admit.js';
import type { AdmissionRequest, ReviewAnswer } from '../../webhook/review.js';
import { denialOf, request } from './reviews.js';

/** A request that counts how often the concurrency of its spec is read, which both finding faults and finding warnings do. */
function counted(concurrency: unknown): { counting: AdmissionRequest; reads: () => number } {
  let reads = 0;
  const spec = {
    command: ['true'],
    get concurrency() {
      reads += 1;
      return concurrency;
    },
  };
  return { counting: request({ spec }), reads: () => reads };
}

/** How often the answer reads the field. */
async function readsOf(
  concurrency: unknown,
  answer: (asked: AdmissionRequest) => ReviewAnswer | Promise<ReviewAnswer>,
): Promise<number> {
  const { counting, reads } = counted(concurrency);
  await answer(counting);
  return reads();
}

describe('the faults of an object', () => {
  test('are looked for once, whether or not the cluster adds warnings', async () => {
    const alone = await readsOf(1, validate);
    expect(alone).toBeGreaterThan(0);
    expect(await readsOf(1, asked => validateInCluster(asked, async () => []))).toBe(alone);
    expect(await readsOf(1, asked => validateInCluster(asked, async () => ['a warning']))).toBe(alone);
  });

  test('are looked for once when the object is rejected', async () => {
    const alone = await readsOf(-1, validate);
    expect(await readsOf(-1, asked => validateInCluster(asked, async () => []))).toBe(alone);
    expect(await readsOf(-1, mutate)).toBe(alone);
  });
});

describe('the warnings from the cluster', () => {
  test('are added to the answer for an allowed object', async () => {
    const { response } = await validateInCluster(request(), async ({ kind, namespace, name }) => [
      `${kind} ${namespace}/${name}`,
    ]);
    expect(response).toMatchObject({ allowed: true, warnings: ['NodeOp default/x'] });
  });

  test('are not requested for a rejected object, another kind or a deletion', async () => {
    const unexpected = async () => {
      throw new Error('the cluster was asked');
    };
    const rejected = await validateInCluster(request({ spec: {} }), unexpected);
    expect(denialOf(rejected)).toBeDefined();
    const otherKind = { ...request(), kind: { group: 'apps', version: 'v1', kind: 'Deployment' } };
    expect((await validateInCluster(otherKind, unexpected)).response.allowed).toBe(true);
    const deletion = { ...request(), operation: 'DELETE' as const, object: null };
    expect((await validateInCluster(deletion, unexpected)).response.allowed).toBe(true);
  });
});
