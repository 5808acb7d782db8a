import { expect, test } from '@jest/globals';
import { errorFromResponse } from '../../kube/error-response.js';
import { OS_ARTIFACT } from '../../api/kinds.js';
import { mergeStatus } from '../../kube/patch.js';

const LONG = 'ä'.repeat(200_000);

test('messages of a status are cut before they are written, and written once', async () => {
  const patches: object[] = [];
  const kube = {
    patch: (_: unknown, __: unknown, body: object) => {
      patches.push(body);
      return Promise.resolve(Object.assign({ metadata: { name: 'x', uid: 'u', resourceVersion: '2' } }, body) as never);
    },
  };
  const object = { metadata: { name: 'x', uid: 'u', resourceVersion: '1' }, status: {} };
  const status = {
    retry: 'r'.repeat(5_000),
    message: LONG,
    nodes: { n1: { message: LONG, log: `${LONG}the end` } },
    list: [{ message: LONG }],
  };
  const saved = await mergeStatus(kube, OS_ARTIFACT, object, { status });
  expect(JSON.stringify(patches[0]).length).toBeLessThan(20_000);
  expect(patches[0]).toMatchObject({
    status: { retry: status.retry, nodes: { n1: { log: expect.stringMatching(/the end$/) } } },
  });
  await mergeStatus(kube, OS_ARTIFACT, { ...object, status: saved.status }, { status });
  expect(patches).toHaveLength(1);
});

test('an error of the API server has short texts only, whatever an admission webhook answers', () => {
  const causes = Array.from({ length: 60 }, () => ({ reason: LONG, message: LONG, field: LONG }));
  const body = { message: LONG, reason: 'Invalid', details: { causes } };
  const error = errorFromResponse({ code: 422, text: JSON.stringify(body) }, 'create Pod');
  expect(JSON.stringify([error.message, error.causes]).length).toBeLessThan(200_000);
  expect(errorFromResponse({ code: 502, text: LONG }, 'x').message.length).toBeLessThan(300);
});
