/** The default manifests on a real API server: they apply unchanged, and the token of a node's agent can write to that node only. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NODE_AGENT } from '../../api/kinds.js';
import { createKube, type KubeClient } from '../../kube/client.js';
import { NODES } from '../../kube/resources.js';
import { ControlPlane } from './control-plane.js';
import { OPERATOR_NAMESPACE } from './install.js';
import { repository } from './paths.js';
import { waitFor } from './wait.js';

jest.setTimeout(900_000); // The programs may have to be compiled first.

const NAMESPACE = ['-n', OPERATOR_NAMESPACE];
let plane: ControlPlane;
/** Clients with the agent's ServiceAccount: one with a token bound to the Pod on n1, one with an unbound token. */
let agent: KubeClient;
let unbound: KubeClient;

beforeAll(async () => {
  plane = await ControlPlane.start({ name: 'default-manifests' });
  const { kubectl } = plane;
  await kubectl.do(['apply', '-k', join(repository, 'config/default')]);
  // No webhook runs in this test.
  await kubectl.do(['delete', 'validatingwebhookconfigurations,mutatingwebhookconfigurations', '--all']);
  const label = { 'kubernetes.io/os': 'linux' };
  await kubectl.apply([node('n1', label), node('n2', { ...label, 'kairos.io/managed': 'false' })]);
  await kubectl.apply(['n1', 'n2'].map(nodeAgent));
  const uid = (await kubectl.getJson(...NAMESPACE, 'pod', await agentPod()))?.metadata?.uid;
  const bound = ['--bound-object-kind=Pod', '--bound-object-name=agent-of-n1', `--bound-object-uid=${String(uid)}`];
  agent = await clientWithToken(bound);
  unbound = await clientWithToken([]);
  await waitFor(async () => (await outcome(labelNode('n2', { foreign: 'x' }))).includes('may not write'), {
    what: 'the policy to be in force',
    seconds: 30,
  });
});

afterAll(async () => {
  agent?.close();
  unbound?.close();
  await plane?.stop();
});

const node = (name: string, labels: object) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name, labels } });
const nodeAgent = (name: string) => ({
  apiVersion: 'operator.kairos.io/v1alpha1',
  kind: 'NodeAgent',
  metadata: { name },
  spec: {},
});

async function agentPod(): Promise<string> {
  await plane.kubectl.apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'agent-of-n1', namespace: OPERATOR_NAMESPACE },
    spec: {
      nodeName: 'n1',
      serviceAccountName: 'operator-agent',
      containers: [{ name: 'agent', image: 'kairos-operator-agent' }],
    },
  });
  return 'agent-of-n1';
}

async function clientWithToken(bound: readonly string[]): Promise<KubeClient> {
  const token = (await plane.kubectl.do(['create', 'token', 'operator-agent', ...NAMESPACE, ...bound])).trim();
  const ca = readFileSync(join(plane.pki, 'ca.crt'));
  const credentials = () => Promise.resolve({ ca, authorization: `Bearer ${token}` });
  return createKube({ server: plane.url, credentials }, { userAgent: 'agent/test' });
}

/** "done", or the message of the refusal. */
const outcome = async (call: Promise<unknown>): Promise<string> =>
  await call.then(
    () => 'done',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );

const patchNode = (name: string, body: object, client = agent) => client.patch(NODES, { name }, body);
const labelNode = (name: string, labels: object, client = agent) => patchNode(name, { metadata: { labels } }, client);
const writeStatus = (name: string, client = agent) =>
  client.patch(NODE_AGENT, { name }, { status: { contract: 1 } }, { subresource: 'status' });

test('a second apply of the default manifests changes no object', async () => {
  const before = await versions();
  await plane.kubectl.do(['apply', '-k', join(repository, 'config/default')]);
  const after = await versions();
  expect(Object.entries(after).filter(([name, version]) => (before[name] ?? version) !== version)).toEqual([]);
});

/** Resource versions by kind and name. The webhook configurations are not included, because they were deleted. */
async function versions(): Promise<Record<string, unknown>> {
  const kinds = 'deployments,daemonsets,services,poddisruptionbudgets,validatingadmissionpolicies,clusterroles,roles';
  const list = await plane.kubectl.getJson(...NAMESPACE, kinds);
  return Object.fromEntries(
    (list?.items ?? []).map(item => [
      `${String(item['kind'])} ${item.metadata?.name}`,
      item.metadata?.['resourceVersion'],
    ]),
  );
}

describe('the agent of a node', () => {
  test('writes, changes and removes the labels and annotations of its contract', async () => {
    const labels = { 'kairos.io/managed': 'true', 'kairos.io/id': 'kairos', 'kairos.io/fips': null };
    const annotations = { 'kairos.io/version': 'v3.6.0', 'kairos.io/name': null };
    expect(await outcome(patchNode('n1', { metadata: { labels, annotations } }))).toBe('done');
    expect(await outcome(labelNode('n1', { 'kairos.io/id': null }))).toBe('done');
  });

  test('writes the status of its own NodeAgent', async () => {
    expect(await outcome(writeStatus('n1'))).toBe('done');
  });

  test.each([
    ['to label another node', () => labelNode('n2', { 'kairos.io/id': 'x' }), 'may not write to that of another'],
    ["to write the status of another node's NodeAgent", () => writeStatus('n2'), 'may not write to that of another'],
    [
      'to set a label outside its contract',
      () => labelNode('n1', { 'node-role.kubernetes.io/master': '' }),
      'only the kairos.io labels',
    ],
    [
      'to remove a label outside its contract',
      () => labelNode('n1', { 'kubernetes.io/os': null }),
      'only the kairos.io labels',
    ],
    [
      'to set the cordon mark',
      () => patchNode('n1', { metadata: { annotations: { 'operator.kairos.io/cordoned-by': 'me' } } }),
      'only the kairos.io annotations',
    ],
    ['to cordon the node', () => patchNode('n1', { spec: { unschedulable: true } }), 'only labels and annotations'],
    [
      'to set a finalizer',
      () => patchNode('n1', { metadata: { finalizers: ['a.b/c'] } }),
      'only labels and annotations',
    ],
    [
      'to change the spec of its NodeAgent',
      () => agent.patch(NODE_AGENT, { name: 'n1' }, { spec: { labels: false } }),
      'cannot patch',
    ],
    ['to delete the Node', () => agent.delete(NODES, { name: 'n1' }), 'cannot delete'],
  ])('is refused permission %s', async (_what, call, message) => {
    expect(await outcome(call())).toContain(message);
  });

  test('is refused to change a kairos.io/managed label that a person set to false', async () => {
    const token = ['--bound-object-kind=Node', '--bound-object-name=n2'];
    const other = await clientWithToken(token);
    expect(await outcome(labelNode('n2', { 'kairos.io/managed': 'true' }, other))).toContain('was set by a person');
    expect(await outcome(labelNode('n2', { 'kairos.io/managed': null }, other))).toContain('was set by a person');
    other.close();
  });

  test('is refused every write with a token that is bound to no node', async () => {
    expect(await outcome(labelNode('n1', { 'kairos.io/id': 'x' }, unbound))).toContain('may not write');
    expect(await outcome(writeStatus('n1', unbound))).toContain('may not write');
  });
});
