/**
 * What attackers can do with the stolen token of the webhook, of the controller, or of an agent whose ServiceAccount an overlay has renamed, on a
 * real API server. The agent of the published manifests has a test of its own. A row that is `done` is documented in docs/security.md.
 */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CONFIRM_MS, FenceCheck } from '../../agent/fence-check.js';
import { NODE_AGENT, NODE_OP, OS_ARTIFACT } from '../../api/kinds.js';
import { createKube, type KubeClient } from '../../kube/client.js';
import type { Resource } from '../../kube/kube.js';
import { NODES, PODS, SECRETS } from '../../kube/resources.js';
import { silentLog } from '../../program/log.js';
import { fakeClock } from '../fakes/clock.js';
import { SecretStore } from '../../webhook/cert-store.js';
import { ControlPlane } from './control-plane.js';
import { withOverlay } from './install.js';
import { waitFor } from './wait.js';

jest.setTimeout(900_000); // the binaries may have to be compiled first

const NAMESPACE = 'operator-system';
const RENAMED = 'renamed';
const CERTIFICATE = 'operator-webhook-certificate';
const CONFIG_MAPS: Resource = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap', namespaced: true };
const ACCOUNTS: Resource = { ...CONFIG_MAPS, plural: 'serviceaccounts', kind: 'ServiceAccount' };
const BINDINGS: Resource = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  plural: 'clusterrolebindings',
  kind: 'ClusterRoleBinding',
  namespaced: false,
};
const WEBHOOKS: Resource = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  plural: 'validatingwebhookconfigurations',
  kind: 'ValidatingWebhookConfiguration',
  namespaced: false,
};
const POLICY_BINDINGS: Resource = {
  ...WEBHOOKS,
  plural: 'validatingadmissionpolicybindings',
  kind: 'ValidatingAdmissionPolicyBinding',
};

let plane: ControlPlane;
const clients: KubeClient[] = [];

async function tokenOf(account: string, namespace: string, node?: string): Promise<KubeClient> {
  const { kubectl } = plane;
  const pod = { name: `pod-of-${account}`, namespace };
  const spec = { nodeName: node, serviceAccountName: account, containers: [{ name: 'x', image: 'x' }] };
  await kubectl.apply({ apiVersion: 'v1', kind: 'Pod', metadata: pod, spec });
  const uid = (await kubectl.getJson('pod', pod.name, '-n', namespace))?.metadata?.uid;
  const bound = ['--bound-object-kind=Pod', `--bound-object-name=${pod.name}`, `--bound-object-uid=${String(uid)}`];
  const token = (await kubectl.do(['create', 'token', account, '-n', namespace, ...bound])).trim();
  const ca = readFileSync(join(plane.pki, 'ca.crt'));
  const credentials = () => Promise.resolve({ ca, authorization: `Bearer ${token}` });
  const client = createKube({ server: plane.url, credentials }, { userAgent: 'attacker/test' });
  clients.push(client);
  return client;
}

/** "done", or the error message. */
const outcome = async (call: Promise<unknown>): Promise<string> =>
  await call.then(
    () => 'done',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );

const here = (name: string) => ({ name, namespace: NAMESPACE });
const owned = {
  ownerReferences: [{ apiVersion: 'build.kairos.io/v1alpha2', kind: 'OSArtifact', name: 'a', uid: 'a' }],
};
const setId = (kube: KubeClient, name: string) =>
  kube.patch(NODES, { name }, { metadata: { labels: { 'kairos.io/id': 'x' } } });
const accountToken = (account: string) => ({
  metadata: { name: 'token', annotations: { 'kubernetes.io/service-account.name': account } },
  type: 'kubernetes.io/service-account-token',
});

beforeAll(async () => {
  plane = await ControlPlane.start({ name: 'stolen-tokens' });
  const { kubectl } = plane;
  /* What an earlier version of the webhook created. */
  await kubectl.apply([
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } },
  ]);
  const earlier = { 'tls.crt': 'earlier', 'tls.key': 'earlier', 'ca.crt': 'earlier' };
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: here(CERTIFICATE), type: 'kubernetes.io/tls' };
  await kubectl.do(['create', '-f', '-'], { stdin: JSON.stringify({ ...secret, stringData: earlier }) });
  await kubectl.do(['apply', '-k', 'config/default']);
  await kubectl.do(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']);
  await withOverlay({ namespace: RENAMED, namePrefix: 'x-', nameSuffix: '-y' }, folder =>
    kubectl.do(['apply', '-k', folder]),
  );
  const names = ['n1', 'n2'];
  await kubectl.apply(names.map(name => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } })));
  const agent = { apiVersion: 'operator.kairos.io/v1alpha1', kind: 'NodeAgent', spec: {} };
  await kubectl.apply(names.map(name => ({ ...agent, metadata: { name } })));
  /* No controller manager runs in this test. */
  await kubectl.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'team' } });
  await kubectl.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'foreign', namespace: 'team' } });
  await kubectl.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'foreign', namespace: 'team' } });
});

afterAll(async () => {
  for (const client of clients) client.close();
  await plane?.stop();
});

describe('installing over an earlier version', () => {
  test('keeps the certificate of the webhook, also when it is applied once more', async () => {
    const stored = async () => (await plane.kubectl.getJson('secret', CERTIFICATE, '-n', NAMESPACE)) ?? {};
    const before = await stored();
    expect(before).toMatchObject({ type: 'kubernetes.io/tls', data: { 'tls.crt': 'ZWFybGllcg==' } });
    await plane.kubectl.do(['apply', '-k', 'config/default']);
    await plane.kubectl.do(['apply', '-f', 'manifests/install.yaml']);
    expect(await stored()).toMatchObject({ data: before['data'] });
  });
});

describe('with the token of the webhook', () => {
  let thief: KubeClient;
  beforeAll(async () => {
    thief = await tokenOf('operator-webhook', NAMESPACE);
    const isServed = async () => (await outcome(thief.list(NODE_OP, {}))) === 'done';
    await waitFor(isServed, { what: 'the new kinds to be served', seconds: 30 });
  });
  const rows: [string, () => Promise<unknown>, string][] = [
    ['reading its certificate', () => thief.get(SECRETS, here(CERTIFICATE)), 'done'],
    ['listing NodeOps', () => thief.list(NODE_OP, {}), 'done'],
    ['reading another Secret', () => thief.get(SECRETS, { name: 'foreign', namespace: 'team' }), 'cannot get'],
    ['listing Secrets', () => thief.list(SECRETS, { namespace: NAMESPACE }), 'cannot list'],
    ['creating a Secret', () => thief.create(SECRETS, { metadata: { name: 'x' } }, NAMESPACE), 'cannot create'],
    [
      'creating a Secret with the token of the controller',
      () => thief.create(SECRETS, accountToken('operator-controller'), NAMESPACE),
      'cannot create',
    ],
    [
      'turning its Secret into one with a token',
      () => thief.patch(SECRETS, here(CERTIFICATE), { type: 'kubernetes.io/service-account-token' }),
      'immutable',
    ],
    ['deleting its Secret', () => thief.delete(SECRETS, here(CERTIFICATE)), 'cannot delete'],
    ['labeling a Node', () => setId(thief, 'n1'), 'cannot patch'],
    ['creating a NodeOp', () => thief.create(NODE_OP, { metadata: { name: 'x' } }, NAMESPACE), 'cannot create'],
    ['creating a Pod', () => thief.create(PODS, { metadata: { name: 'x' } }, NAMESPACE), 'cannot create'],
    [
      'extending its own webhook configuration',
      () => thief.patch(WEBHOOKS, { name: 'operator-webhook' }, { metadata: { labels: { a: 'b' } } }),
      'done',
    ],
    ['changing another webhook configuration', () => thief.patch(WEBHOOKS, { name: 'other' }, {}), 'cannot patch'],
    ['creating a webhook configuration', () => thief.create(WEBHOOKS, { metadata: { name: 'x' } }), 'cannot create'],
    ['deleting a policy', () => thief.delete(POLICY_BINDINGS, { name: 'operator-agent-node' }), 'cannot delete'],
  ];
  test.each(rows)('%s', async (_what, call, expected) => expect(await outcome(call())).toContain(expected));
  test('the webhook stores its certificate in the Secret that is installed empty', async () => {
    const store = new SecretStore(await tokenOf('x-operator-webhook-y', RENAMED), {
      name: 'x-operator-webhook-certificate-y',
      namespace: RENAMED,
    });
    const { bundle, version } = await store.load();
    expect([bundle, typeof version]).toEqual([undefined, 'string']);
    const pair = { certificate: '-----BEGIN CERTIFICATE-----\nx', key: 'k' };
    expect(await store.save({ authority: pair, serving: pair }, version)).toBe(true);
    expect((await store.load()).bundle?.serving.key).toBe('k');
  });
  test('a Secret that is missing is named, with what to do', async () => {
    const store = new SecretStore(thief, { name: 'absent', namespace: NAMESPACE });
    const pair = { certificate: 'c', key: 'k' };
    await expect(store.save({ authority: pair, serving: pair }, undefined)).rejects.toThrow(
      'apply the manifests again',
    );
  });
});

describe('with the token of the controller', () => {
  let thief: KubeClient;
  beforeAll(async () => {
    thief = await tokenOf('operator-controller', NAMESPACE);
    const change = () => outcome(thief.patch(SECRETS, { name: 'foreign', namespace: 'team' }, { data: { a: 'eA==' } }));
    const isEnforced = async () => (await change()).includes('belong to an OSArtifact');
    await waitFor(isEnforced, { what: 'the admission policy to be enforced', seconds: 30 });
  });
  const only = 'only Secrets and ConfigMaps that belong to an OSArtifact';
  const there = { name: 'foreign', namespace: 'team' };
  const pod = { metadata: { name: 'any' }, spec: { containers: [{ name: 'x', image: 'x' }] } };
  const rows: [string, () => Promise<unknown>, string][] = [
    ['reading any Secret', () => thief.get(SECRETS, there), 'done'],
    ['creating a Pod in any namespace', () => thief.create(PODS, pod, 'team'), 'done'],
    ['cordoning a Node', () => thief.patch(NODES, { name: 'n2' }, { spec: { unschedulable: true } }), 'done'],
    [
      'creating the Secret of a build',
      () => thief.create(SECRETS, { metadata: { name: 'build', ...owned } }, 'team'),
      'done',
    ],
    [
      'changing the Secret of a build',
      () => thief.patch(SECRETS, { name: 'build', namespace: 'team' }, { data: { a: 'eA==' } }),
      'done',
    ],
    ['listing Secrets', () => thief.list(SECRETS, {}), 'cannot list'],
    ['deleting a Secret', () => thief.delete(SECRETS, there), 'cannot delete'],
    ['changing a Secret of a user', () => thief.patch(SECRETS, there, { data: { a: 'eA==' } }), only],
    ['making a Secret of a user its own', () => thief.patch(SECRETS, there, { metadata: owned }), only],
    ['changing a ConfigMap of a user', () => thief.patch(CONFIG_MAPS, there, { data: { a: 'x' } }), only],
    ['creating a Secret', () => thief.create(SECRETS, { metadata: { name: 'y' } }, 'team'), only],
    ['creating a ConfigMap', () => thief.create(CONFIG_MAPS, { metadata: { name: 'y' } }, 'kube-system'), only],
    [
      'creating a Secret with the token of a ServiceAccount',
      () => {
        const { metadata, type } = accountToken('default');
        return thief.create(SECRETS, { metadata: { ...metadata, ...owned }, type }, 'kube-system');
      },
      'only Secrets of the type Opaque',
    ],
    ['creating a ClusterRoleBinding', () => thief.create(BINDINGS, { metadata: { name: 'x' } }), 'cannot create'],
    ['creating a ServiceAccount', () => thief.create(ACCOUNTS, { metadata: { name: 'x' } }, 'team'), 'cannot create'],
    ['changing a Pod', () => thief.patch(PODS, { name: 'any', namespace: 'team' }, {}), 'cannot patch'],
    ['creating an OSArtifact', () => thief.create(OS_ARTIFACT, { metadata: { name: 'x' } }, 'team'), 'cannot create'],
    ['answering for an agent', () => thief.patch(NODE_AGENT, { name: 'n1' }, {}, { subresource: 'status' }), 'cannot'],
    ['deleting a policy', () => thief.delete(POLICY_BINDINGS, { name: 'operator-agent-node' }), 'cannot delete'],
  ];
  test.each(rows)('%s', async (_what, call, expected) => expect(await outcome(call())).toContain(expected));
  test('the controller of a renamed installation is restricted in the same way', async () => {
    const renamed = await tokenOf('x-operator-controller-y', RENAMED);
    expect(await outcome(renamed.patch(SECRETS, there, { data: { a: 'eA==' } }))).toContain(only);
  });
});

describe('with the token of an agent that an overlay has renamed', () => {
  let thief: KubeClient;
  const check = async () => {
    const clock = fakeClock();
    const fence = new FenceCheck({ kube: thief, clock, log: silentLog, nodeName: 'n1' });
    await fence.run();
    await clock.advance(CONFIRM_MS);
    await fence.run();
    return fence.result?.state;
  };
  beforeAll(async () => {
    thief = await tokenOf('x-operator-agent-y', RENAMED, 'n1');
    const isEnforced = async () => (await outcome(setId(thief, 'n2'))).includes('may not write');
    await waitFor(isEnforced, { what: 'the admission policy to be enforced', seconds: 30 });
  });
  const rows: [string, () => Promise<unknown>, string][] = [
    ['labeling its own Node', () => setId(thief, 'n1'), 'done'],
    ['labeling another Node', () => setId(thief, 'n2'), 'may not write to that of another'],
    [
      'answering for another agent',
      () => thief.patch(NODE_AGENT, { name: 'n2' }, { status: { contract: 1 } }, { subresource: 'status' }),
      'may not write to that of another',
    ],
    [
      'cordoning its own Node',
      () => thief.patch(NODES, { name: 'n1' }, { spec: { unschedulable: true } }),
      'only labels and annotations',
    ],
  ];
  test.each(rows)('%s', async (_what, call, expected) => expect(await outcome(call())).toContain(expected));

  test('removing what others manage of its own Node', async () => {
    const patch = { spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] } };
    await plane.kubectl.do(['patch', 'node', 'n1', '--type=merge', '-p', JSON.stringify(patch)]);
    const wiped = thief.patch(NODES, { name: 'n1' }, { metadata: { managedFields: [{}] } });
    expect(await outcome(wiped)).toContain('may not remove the managed fields of others');
    await plane.kubectl.do(['label', 'node', 'n1', 'kairos.io/id=other', '--overwrite']);
    expect(await outcome(setId(thief, 'n1'))).toBe('done');
  });

  test('the agent finds out that it is fenced, and that it is not once the bindings are deleted', async () => {
    expect(await check()).toBe('Fenced');
    await plane.kubectl.do(['delete', 'validatingadmissionpolicybindings', '--all']);
    await waitFor(async () => (await check()) === 'NotFenced', { what: 'the policy to be gone', seconds: 30 });
    const labels = (await plane.kubectl.getJson('node', 'n2'))?.metadata?.labels ?? {};
    expect(labels['kairos.io/id']).toBeUndefined();
  });
});
