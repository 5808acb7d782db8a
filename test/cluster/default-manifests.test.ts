/** The default manifests on a real API server: they are taken as they are, and a token of one node's agent writes to that node only. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NODE_AGENT } from '../../api/kinds.js';
import { createKube, type KubeClient } from '../../kube/client.js';
import { NODES } from '../../kube/resources.js';
import { ControlPlane } from './control-plane.js';
import { OPERATOR_NAMESPACE } from './install.js';
import { repository } from './places.js';
import { waitFor } from './wait.js';

jest.setTimeout(900_000); // the programs may have to be compiled first

const NAMESPACE = ['-n', OPERATOR_NAMESPACE];
let plane: ControlPlane;
/** Speak as the agent of n1: with the token of its Pod, and with one that is bound to nothing. */
let agent: KubeClient;
let unbound: KubeClient;

beforeAll(async () => {
  plane = await ControlPlane.start({ name: 'default-manifests' });
  const { kubectl } = plane;
  await kubectl.do(['apply', '-k', join(repository, 'config/default')]);
  // no webhook runs here
  await kubectl.do(['delete', 'validatingwebhookconfigurations,mutatingwebhookconfigurations', '--all']);
  const label = { 'kubernetes.io/os': 'linux' };
  await kubectl.apply([node('n1', label), node('n2', { ...label, 'kairos.io/managed': 'false' })]);
  await kubectl.apply(['n1', 'n2'].map(nodeAgent));
  const uid = (await kubectl.getJson(...NAMESPACE, 'pod', await agentPod()))?.metadata?.uid;
  const bound = ['--bound-object-kind=Pod', '--bound-object-name=agent-of-n1', `--bound-object-uid=${String(uid)}`];
  agent = await withToken(bound);
  unbound = await withToken([]);
  await waitFor(async () => (await outcome(labelled('n2', { foreign: 'x' }))).includes('may not write'), {
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

async function withToken(bound: readonly string[]): Promise<KubeClient> {
  const token = (await plane.kubectl.do(['create', 'token', 'operator-agent', ...NAMESPACE, ...bound])).trim();
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

const patched = (name: string, body: object, by = agent) => by.patch(NODES, { name }, body);
const labelled = (name: string, labels: object, by = agent) => patched(name, { metadata: { labels } }, by);
const answered = (name: string, by = agent) =>
  by.patch(NODE_AGENT, { name }, { status: { contract: 1 } }, { subresource: 'status' });

test('a second apply changes nothing', async () => {
  const before = await versions();
  await plane.kubectl.do(['apply', '-k', join(repository, 'config/default')]);
  const after = await versions();
  expect(Object.entries(after).filter(([name, version]) => (before[name] ?? version) !== version)).toEqual([]);
});

/** What was written when, by kind and name; the webhook configurations were deleted and are new. */
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
    expect(await outcome(patched('n1', { metadata: { labels, annotations } }))).toBe('done');
    expect(await outcome(labelled('n1', { 'kairos.io/id': null }))).toBe('done');
  });

  test('answers in the status of its own NodeAgent', async () => {
    expect(await outcome(answered('n1'))).toBe('done');
  });

  test.each([
    ['another node', () => labelled('n2', { 'kairos.io/id': 'x' }), 'may not write to that of another'],
    ["another node's answers", () => answered('n2'), 'may not write to that of another'],
    [
      'a label that is not its own',
      () => labelled('n1', { 'node-role.kubernetes.io/master': '' }),
      'only the kairos.io labels',
    ],
    [
      'the loss of a label that is not its own',
      () => labelled('n1', { 'kubernetes.io/os': null }),
      'only the kairos.io labels',
    ],
    [
      'the mark of a cordon',
      () => patched('n1', { metadata: { annotations: { 'operator.kairos.io/cordoned-by': 'me' } } }),
      'only the kairos.io annotations',
    ],
    ['a cordon', () => patched('n1', { spec: { unschedulable: true } }), 'only labels and annotations'],
    ['a finalizer', () => patched('n1', { metadata: { finalizers: ['a.b/c'] } }), 'only labels and annotations'],
    [
      'a word in the spec of its NodeAgent',
      () => agent.patch(NODE_AGENT, { name: 'n1' }, { spec: { labels: false } }),
      'cannot patch',
    ],
    ['a Node that is deleted', () => agent.delete(NODES, { name: 'n1' }), 'cannot delete'],
  ])('is refused %s', async (_what, call, words) => {
    expect(await outcome(call())).toContain(words);
  });

  test('leaves alone what a person has switched off', async () => {
    const token = ['--bound-object-kind=Node', '--bound-object-name=n2'];
    const other = await withToken(token);
    expect(await outcome(labelled('n2', { 'kairos.io/managed': 'true' }, other))).toContain('was set by a person');
    expect(await outcome(labelled('n2', { 'kairos.io/managed': null }, other))).toContain('was set by a person');
    other.close();
  });

  test('may write nothing when its token is bound to no node', async () => {
    expect(await outcome(labelled('n1', { 'kairos.io/id': 'x' }, unbound))).toContain('may not write');
    expect(await outcome(answered('n1', unbound))).toContain('may not write');
  });
});
