import { expect, test } from '@jest/globals';
import { withPullSecrets } from '../../../controller/cluster/pull-secrets.js';
import { readConfig } from '../../../controller/config.js';
import { CONFIG_MAPS, JOBS, PODS } from '../../../kube/resources.js';
import type { Resource } from '../../../kube/kube.js';
import { FakeKube } from '../../fakes/kube.js';

const pod = (spec: object = {}) => ({ metadata: { name: 'p', namespace: 'default' }, spec });
const job = (spec: object = {}) => ({
  metadata: { name: 'j', namespace: 'default' },
  spec: { suspend: true, template: { spec } },
});

/** The spec of a created object as it reaches the API server. */
async function createdSpec(
  resource: Resource,
  body: object,
  names: readonly string[] = ['mirror', 'spare'],
): Promise<unknown> {
  const kube = new FakeKube();
  await withPullSecrets(kube, names).create(resource, body, 'default');
  const [write] = kube.writes;
  return (write?.body as { spec?: unknown } | undefined)?.spec;
}

test('the operator’s pull secrets are added to a Pod', async () => {
  expect(await createdSpec(PODS, pod({ nodeName: 'n1' }))).toEqual({
    nodeName: 'n1',
    imagePullSecrets: [{ name: 'mirror' }, { name: 'spare' }],
  });
});

test('the operator’s pull secrets are added to the Pod template of a Job', async () => {
  expect(await createdSpec(JOBS, job({ nodeName: 'n1' }))).toEqual({
    suspend: true,
    template: { spec: { nodeName: 'n1', imagePullSecrets: [{ name: 'mirror' }, { name: 'spare' }] } },
  });
});

test('the pull secrets of a spec stay, each of them once', async () => {
  expect(await createdSpec(PODS, pod({ imagePullSecrets: [{ name: 'own' }, { name: 'mirror' }] }))).toEqual({
    imagePullSecrets: [{ name: 'spare' }, { name: 'own' }, { name: 'mirror' }],
  });
});

test('the operator’s pull secrets are added to a dry run', async () => {
  const asked: object[] = [];
  const kube = new FakeKube();
  kube.onDryRun = body => void asked.push(body);
  await withPullSecrets(kube, ['mirror']).dryRun(PODS, pod(), 'default');
  expect(asked).toEqual([pod({ imagePullSecrets: [{ name: 'mirror' }] })]);
});

test('other objects are created unchanged', async () => {
  const body = { metadata: { name: 'c', namespace: 'default' }, spec: { template: { spec: {} } } };
  expect(await createdSpec(CONFIG_MAPS, body)).toEqual(body.spec);
});

test('without configured pull secrets the client is not wrapped', () => {
  const kube = new FakeKube();
  expect(withPullSecrets(kube, [])).toBe(kube);
});

test.each([
  [undefined, []],
  ['', []],
  ['mirror', ['mirror']],
  ['mirror, spare', ['mirror', 'spare']],
])('IMAGE_PULL_SECRETS %j is %j', (text, names) => {
  expect(readConfig({ IMAGE_PULL_SECRETS: text }, []).imagePullSecrets).toEqual(names);
});
