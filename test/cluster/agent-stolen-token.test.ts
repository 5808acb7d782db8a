/**
 * What an attacker can do with the stolen token of one node's agent, on a real API server, with the operator installed in a custom namespace:
 * change the kairos.io labels and the NodeAgent status of that node, and nothing else.
 */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NODE_AGENT, NODE_OP } from '../../api/kinds.js';
import { createKube, type KubeClient } from '../../kube/client.js';
import type { Resource } from '../../kube/kube.js';
import { JOBS, NODES, PODS } from '../../kube/resources.js';
import { ControlPlane } from './control-plane.js';
import { withOverlay } from './install.js';
import { waitFor } from './wait.js';

jest.setTimeout(900_000); // the binaries may have to be compiled first

const NAMESPACE = 'node-operations';
const SECRETS: Resource = { group: '', version: 'v1', plural: 'secrets', kind: 'Secret', namespaced: true };
const ACCOUNTS: Resource = { ...SECRETS, plural: 'serviceaccounts', kind: 'ServiceAccount' };
const BINDINGS: Resource = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  plural: 'clusterrolebindings',
  kind: 'ClusterRoleBinding',
  namespaced: false,
};
const POLICIES: Resource = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  plural: 'validatingadmissionpolicybindings',
  kind: 'ValidatingAdmissionPolicyBinding',
  namespaced: false,
};

let plane: ControlPlane;
let attacker: KubeClient;

beforeAll(async () => {
  plane = await ControlPlane.start({ name: 'agent-stolen-token' });
  const { kubectl } = plane;
  await withOverlay({ namespace: NAMESPACE }, folder => kubectl.do(['apply', '-k', folder]));
  // no webhook runs in this test
  await kubectl.do(['delete', 'validatingwebhookconfigurations,mutatingwebhookconfigurations', '--all']);
  const labels = { 'kubernetes.io/os': 'linux', 'kairos.io/foreign': 'mine' };
  await kubectl.apply(['n1', 'n2'].map(name => ({ apiVersion: 'v1', kind: 'Node', metadata: { name, labels } })));
  await kubectl.apply(
    ['n1', 'n2'].map(name => ({
      apiVersion: 'operator.kairos.io/v1alpha1',
      kind: 'NodeAgent',
      metadata: { name },
      spec: {},
    })),
  );
  await kubectl.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'webhook-cert', namespace: NAMESPACE },
    stringData: { key: 'secret' },
  });
  attacker = await withStolenToken();
  await waitFor(async () => (await outcome(setLabels('n2', { 'kairos.io/id': 'x' }))).includes('may not write'), {
    what: 'the admission policy to be enforced',
    seconds: 30,
  });
});

afterAll(async () => {
  attacker?.close();
  await plane?.stop();
});

/** A client with a token like the one that the kubelet mounts into the agent's Pod on n1. */
async function withStolenToken(): Promise<KubeClient> {
  const { kubectl } = plane;
  const agent = { name: 'agent-of-n1', namespace: NAMESPACE };
  const containers = [{ name: 'agent', image: 'kairos-operator-agent' }];
  const spec = { nodeName: 'n1', serviceAccountName: 'operator-agent', containers };
  await kubectl.apply({ apiVersion: 'v1', kind: 'Pod', metadata: agent, spec });
  const uid = (await kubectl.getJson('pod', agent.name, '-n', NAMESPACE))?.metadata?.uid;
  const bound = ['--bound-object-kind=Pod', `--bound-object-name=${agent.name}`, `--bound-object-uid=${String(uid)}`];
  const token = (await kubectl.do(['create', 'token', 'operator-agent', '-n', NAMESPACE, ...bound])).trim();
  const ca = readFileSync(join(plane.pki, 'ca.crt'));
  const credentials = () => Promise.resolve({ ca, authorization: `Bearer ${token}` });
  return createKube({ server: plane.url, credentials }, { userAgent: 'agent/test' });
}

/** "done", or the error message. */
const outcome = async (call: Promise<unknown>): Promise<string> =>
  await call.then(
    () => 'done',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );

const patchNode = (name: string, body: object) => attacker.patch(NODES, { name }, body);
const setLabels = (name: string, labels: object) => patchNode(name, { metadata: { labels } });
const patchAgentStatus = (name: string) =>
  attacker.patch(NODE_AGENT, { name }, { status: { contract: 1 } }, { subresource: 'status' });
const here = (name: string) => ({ name, namespace: NAMESPACE });

test('the token permits what the agent needs on its own node', async () => {
  expect(await outcome(setLabels('n1', { 'kairos.io/managed': 'true' }))).toBe('done');
  expect(await outcome(patchNode('n1', { metadata: { annotations: { 'kairos.io/version': 'v3.6.0' } } }))).toBe('done');
  expect(await outcome(patchAgentStatus('n1'))).toBe('done');
});

describe('on the own node of the token, the API server refuses', () => {
  const only = 'may write only labels and annotations';
  test.each<[string, object, string]>([
    ['a taint', { spec: { taints: [{ key: 'a', effect: 'NoExecute' }] } }, only],
    ['a cordon', { spec: { unschedulable: true } }, only],
    ['another provider ID', { spec: { providerID: 'x://y' } }, only],
    [
      'an owner reference',
      { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'n2', uid: 'x' }] } },
      only,
    ],
    [
      'a role label',
      { metadata: { labels: { 'node-role.kubernetes.io/control-plane': '' } } },
      'only the kairos.io labels',
    ],
    [
      'a kairos.io label that is not a host fact',
      { metadata: { labels: { 'kairos.io/foreign': 'x' } } },
      'only the kairos.io',
    ],
    ['removing such a label', { metadata: { labels: { 'kairos.io/foreign': null } } }, 'only the kairos.io labels'],
    [
      'a cordon mark',
      { metadata: { annotations: { 'operator.kairos.io/cordoned-by': 'x' } } },
      'only the kairos.io annotations',
    ],
  ])('%s', async (_what, body, message) => expect(await outcome(patchNode('n1', body))).toContain(message));

  test('writing the Node status', async () => {
    const status = { status: { capacity: { cpu: '1000' } } };
    const call = attacker.patch(NODES, { name: 'n1' }, status, { subresource: 'status' });
    expect(await outcome(call)).toContain('cannot patch');
  });

  test('replacing the Node, even without changes', async () => {
    const metadata = { name: 'n1', uid: '', resourceVersion: '0' };
    expect(await outcome(attacker.replace(NODES, { name: 'n1' }, { metadata }))).toContain('cannot update');
  });
});

describe('for other objects, the API server refuses', () => {
  const metadata = { name: 'x', namespace: NAMESPACE };
  const pod = { metadata, spec: { containers: [{ name: 'x', image: 'x' }] } };
  test.each<[string, () => Promise<unknown>, string]>([
    ['labels of another node', () => setLabels('n2', { 'kairos.io/id': 'x' }), 'may not write to that of another'],
    ['the NodeAgent status of another node', () => patchAgentStatus('n2'), 'may not write to that of another'],
    [
      'the NodeAgent spec of another node',
      () => attacker.patch(NODE_AGENT, { name: 'n2' }, { spec: {} }),
      'cannot patch',
    ],
    [
      'the NodeAgent spec of the own node',
      () => attacker.patch(NODE_AGENT, { name: 'n1' }, { spec: {} }),
      'cannot patch',
    ],
    ['deleting a NodeAgent', () => attacker.delete(NODE_AGENT, { name: 'n1' }), 'cannot delete'],
    ['creating a NodeAgent', () => attacker.create(NODE_AGENT, { metadata: { name: 'x' } }), 'cannot create'],
    ['reading a Secret', () => attacker.get(SECRETS, here('webhook-cert')), 'cannot get'],
    ['listing Secrets', () => attacker.list(SECRETS, { namespace: NAMESPACE }), 'cannot list'],
    ['changing a Secret', () => attacker.patch(SECRETS, here('webhook-cert'), {}), 'cannot patch'],
    ['creating a Pod', () => attacker.create(PODS, pod, NAMESPACE), 'cannot create'],
    ['deleting a Pod', () => attacker.delete(PODS, here('agent-of-n1')), 'cannot delete'],
    ['evicting a Pod', () => attacker.evict(here('agent-of-n1'), { uid: 'x' }), 'cannot create'],
    ['creating a Job', () => attacker.create(JOBS, { metadata }, NAMESPACE), 'cannot create'],
    ['creating a NodeOp', () => attacker.create(NODE_OP, { metadata }, NAMESPACE), 'cannot create'],
    ['creating a ServiceAccount', () => attacker.create(ACCOUNTS, { metadata }, NAMESPACE), 'cannot create'],
    ['creating a ClusterRoleBinding', () => attacker.create(BINDINGS, { metadata: { name: 'x' } }), 'cannot create'],
    [
      'deleting the admission policy',
      () => attacker.delete(POLICIES, { name: 'operator-agent-node' }),
      'cannot delete',
    ],
    ['deleting the own Node', () => attacker.delete(NODES, { name: 'n1' }), 'cannot delete'],
    ['listing Nodes', () => attacker.list(NODES, {}), 'cannot list'],
  ])('%s', async (_what, call, message) => expect(await outcome(call())).toContain(message));
});
