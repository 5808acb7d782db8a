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

/** What reaches the cluster of what is made. */
async function made(
  resource: Resource,
  body: object,
  names: readonly string[] = ['mirror', 'spare'],
): Promise<unknown> {
  const kube = new FakeKube();
  await withPullSecrets(kube, names).create(resource, body, 'default');
  const [write] = kube.writes;
  return (write?.body as { spec?: unknown } | undefined)?.spec;
}

test('a Pod names them', async () => {
  expect(await made(PODS, pod({ nodeName: 'n1' }))).toEqual({
    nodeName: 'n1',
    imagePullSecrets: [{ name: 'mirror' }, { name: 'spare' }],
  });
});

test('so do the Pods of a Job', async () => {
  expect(await made(JOBS, job({ nodeName: 'n1' }))).toEqual({
    suspend: true,
    template: { spec: { nodeName: 'n1', imagePullSecrets: [{ name: 'mirror' }, { name: 'spare' }] } },
  });
});

test('those that the wish names stay, each once', async () => {
  expect(await made(PODS, pod({ imagePullSecrets: [{ name: 'own' }, { name: 'mirror' }] }))).toEqual({
    imagePullSecrets: [{ name: 'spare' }, { name: 'own' }, { name: 'mirror' }],
  });
});

test('whether a Pod would be let in is asked with them', async () => {
  const asked: object[] = [];
  const kube = new FakeKube();
  kube.onDryRun = body => void asked.push(body);
  await withPullSecrets(kube, ['mirror']).dryRun(PODS, pod(), 'default');
  expect(asked).toEqual([pod({ imagePullSecrets: [{ name: 'mirror' }] })]);
});

test('everything else is made as it is', async () => {
  const body = { metadata: { name: 'c', namespace: 'default' }, spec: { template: { spec: {} } } };
  expect(await made(CONFIG_MAPS, body)).toEqual(body.spec);
});

test('without names the cluster is the same', () => {
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
