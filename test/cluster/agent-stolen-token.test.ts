/**
 * What a thief can do with the token of one node's agent, on a real API server, with the operator installed into a namespace of the user's
 * choice: change a few labels and answers of that node, and nothing else.
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

jest.setTimeout(900_000); // the programs may have to be compiled first

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
let thief: KubeClient;

beforeAll(async () => {
  plane = await ControlPlane.start({ name: 'agent-stolen-token' });
  const { kubectl } = plane;
  await withOverlay({ namespace: NAMESPACE }, folder => kubectl.do(['apply', '-k', folder]));
  // no webhook runs here
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
    metadata: { name: 'treasure', namespace: NAMESPACE },
    stringData: { of: 'the webhook' },
  });
  thief = await withStolenToken();
  await waitFor(async () => (await outcome(labelled('n2', { 'kairos.io/id': 'x' }))).includes('may not write'), {
    what: 'the policy to be in force',
    seconds: 30,
  });
});

afterAll(async () => {
  thief?.close();
  await plane?.stop();
});

/** The token that the kubelet puts into the agent's Pod on n1. */
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

/** "done", or the refusal's words. */
const outcome = async (call: Promise<unknown>): Promise<string> =>
  await call.then(
    () => 'done',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );

const patched = (name: string, body: object) => thief.patch(NODES, { name }, body);
const labelled = (name: string, labels: object) => patched(name, { metadata: { labels } });
const answered = (name: string) =>
  thief.patch(NODE_AGENT, { name }, { status: { contract: 1 } }, { subresource: 'status' });
const here = (name: string) => ({ name, namespace: NAMESPACE });

test('the owner of the token does its work with it', async () => {
  expect(await outcome(labelled('n1', { 'kairos.io/managed': 'true' }))).toBe('done');
  expect(await outcome(patched('n1', { metadata: { annotations: { 'kairos.io/version': 'v3.6.0' } } }))).toBe('done');
  expect(await outcome(answered('n1'))).toBe('done');
});

describe('on its own node the thief is refused', () => {
  const only = 'may write only labels and annotations';
  test.each<[string, object, string]>([
    ['a taint', { spec: { taints: [{ key: 'a', effect: 'NoExecute' }] } }, only],
    ['a cordon', { spec: { unschedulable: true } }, only],
    ['another provider', { spec: { providerID: 'x://y' } }, only],
    ['an owner', { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'n2', uid: 'x' }] } }, only],
    ['a role', { metadata: { labels: { 'node-role.kubernetes.io/control-plane': '' } } }, 'only the kairos.io labels'],
    ['a label of ours that is no fact', { metadata: { labels: { 'kairos.io/foreign': 'x' } } }, 'only the kairos.io'],
    ['the loss of one', { metadata: { labels: { 'kairos.io/foreign': null } } }, 'only the kairos.io labels'],
    [
      'the mark of a cordon',
      { metadata: { annotations: { 'operator.kairos.io/cordoned-by': 'x' } } },
      'only the kairos.io annotations',
    ],
  ])('%s', async (_what, body, words) => expect(await outcome(patched('n1', body))).toContain(words));

  test('its status', async () => {
    const status = { status: { capacity: { cpu: '1000' } } };
    const call = thief.patch(NODES, { name: 'n1' }, status, { subresource: 'status' });
    expect(await outcome(call)).toContain('cannot patch');
  });

  test('the whole Node, even unchanged', async () => {
    const metadata = { name: 'n1', uid: '', resourceVersion: '0' };
    expect(await outcome(thief.replace(NODES, { name: 'n1' }, { metadata }))).toContain('cannot update');
  });
});

describe('everywhere else the thief is refused', () => {
  const metadata = { name: 'x', namespace: NAMESPACE };
  const pod = { metadata, spec: { containers: [{ name: 'x', image: 'x' }] } };
  test.each<[string, () => Promise<unknown>, string]>([
    ['the labels of another node', () => labelled('n2', { 'kairos.io/id': 'x' }), 'may not write to that of another'],
    ['the answers of another node', () => answered('n2'), 'may not write to that of another'],
    ['what another node is asked', () => thief.patch(NODE_AGENT, { name: 'n2' }, { spec: {} }), 'cannot patch'],
    ['what its own node is asked', () => thief.patch(NODE_AGENT, { name: 'n1' }, { spec: {} }), 'cannot patch'],
    ['a NodeAgent that goes', () => thief.delete(NODE_AGENT, { name: 'n1' }), 'cannot delete'],
    ['a NodeAgent of its own', () => thief.create(NODE_AGENT, { metadata: { name: 'x' } }), 'cannot create'],
    ['a Secret', () => thief.get(SECRETS, here('treasure')), 'cannot get'],
    ['all Secrets', () => thief.list(SECRETS, { namespace: NAMESPACE }), 'cannot list'],
    ['a change of a Secret', () => thief.patch(SECRETS, here('treasure'), {}), 'cannot patch'],
    ['a Pod', () => thief.create(PODS, pod, NAMESPACE), 'cannot create'],
    ['the loss of a Pod', () => thief.delete(PODS, here('agent-of-n1')), 'cannot delete'],
    ['an eviction', () => thief.evict(here('agent-of-n1'), { uid: 'x' }), 'cannot create'],
    ['a Job', () => thief.create(JOBS, { metadata }, NAMESPACE), 'cannot create'],
    ['an operation', () => thief.create(NODE_OP, { metadata }, NAMESPACE), 'cannot create'],
    ['a ServiceAccount', () => thief.create(ACCOUNTS, { metadata }, NAMESPACE), 'cannot create'],
    ['more rights', () => thief.create(BINDINGS, { metadata: { name: 'x' } }), 'cannot create'],
    ['the end of the policy', () => thief.delete(POLICIES, { name: 'operator-agent-node' }), 'cannot delete'],
    ['the end of its node', () => thief.delete(NODES, { name: 'n1' }), 'cannot delete'],
    ['a sight of all nodes', () => thief.list(NODES, {}), 'cannot list'],
  ])('%s', async (_what, call, words) => expect(await outcome(call())).toContain(words));
});
