/** The webhook program with a real API server: before it is installed, during installation, and while replicas stop under load. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NODE_OP } from '../../api/kinds.js';
import { createKube, type KubeClient } from '../../kube/client.js';
import { fromKubeconfig } from '../../kube/kubeconfig.js';
import { ControlPlane } from './control-plane.js';
import { repository } from './paths.js';
import { waitFor } from './wait.js';
import { type Replica, WebhookProgram } from './webhook-program.js';

jest.setTimeout(900_000); // the programs may have to be compiled first

let plane: ControlPlane;
let program: WebhookProgram;
let kube: KubeClient;

beforeAll(async () => {
  plane = await ControlPlane.start({ name: 'webhook-live' });
  program = await WebhookProgram.install(plane);
  kube = createKube(await fromKubeconfig(plane.kubeconfig), { userAgent: 'test/0' });
  const label = { 'kubernetes.io/os': 'linux', 'kairos.io/managed': 'true' };
  const control = { ...label, 'node-role.kubernetes.io/control-plane': '' };
  const node = (name: string, labels: object) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name, labels } });
  await plane.kubectl.apply([node('cp', control), node('w1', label), node('w2', label)]);
  await plane.kubectl.apply(['kept', 'deleted', 'changed'].map(name => op(name)));
  await program.configure();
});

afterAll(async () => {
  kube?.close();
  await program?.stop();
  await plane?.stop();
});

const op = (name: string, spec: object = {}, metadata: object = {}) => ({
  apiVersion: 'operator.kairos.io/v1alpha1',
  kind: 'NodeOp',
  metadata: { name, namespace: 'default', ...metadata },
  spec: { command: ['true'], ...spec },
});

/** Runs kubectl; returns `done` or `refused` and the output of both streams. */
async function run(args: readonly string[], object?: object): Promise<string> {
  const { code, stdout, stderr } = await plane.kubectl.try(args, { stdin: object && JSON.stringify(object) });
  return `${code === 0 ? 'done' : 'refused'}\n${stdout}${stderr}`;
}
const patch = (name: string, body: object, ...more: string[]) =>
  run(['patch', 'nodeop', name, '--type=merge', '-p', JSON.stringify(body), ...more]);
const asController = ['--as=system:serviceaccount:operator-system:operator-controller', '--as-group=system:masters'];

describe('while the webhook does not respond', () => {
  test.each<[string, () => Promise<string>]>([
    ['updates a status', () => patch('deleted', { status: { phase: 'Running' } }, '--subresource=status')],
    ['adds a finalizer', () => patch('kept', { metadata: { finalizers: ['operator.kairos.io/claimed'] } })],
    ['removes a finalizer', () => patch('kept', { metadata: { finalizers: null } })],
    [
      'changes a label and an annotation',
      () => patch('kept', { metadata: { labels: { a: 'b' }, annotations: { a: 'b' } } }),
    ],
    ['applies an unchanged object again', () => run(['apply', '-f', '-'], op('kept'))],
    ['deletes an object', () => run(['delete', 'nodeop', 'deleted', '--timeout=20s'])],
    [
      'lets the controller create an object',
      () => run(['create', '-f', '-', ...asController], op('of-the-controller')),
    ],
    ['lets the controller change a spec', () => patch('changed', { spec: { paused: true } }, ...asController)],
    ['creates other kinds', () => run(['create', 'configmap', 'any', '--from-literal=a=b'])],
    ['creates namespaces', () => run(['create', 'namespace', 'passing'])],
    ['deletes namespaces', () => run(['delete', 'namespace', 'passing', '--wait=false'])],
    ['updates nodes', () => run(['label', 'node', 'w1', 'a=b'])],
  ])('the API server still %s', async (_title, act) => expect(await act()).toMatch(/^done/));

  test('a terminating object can lose its finalizer, and is deleted', async () => {
    expect(await patch('changed', { metadata: { finalizers: ['a.b/c'] } })).toMatch(/^done/);
    expect(await run(['delete', 'nodeop', 'changed', '--wait=false'])).toMatch(/^done/);
    expect(await patch('changed', { metadata: { finalizers: null } })).toMatch(/^done/);
    expect(await plane.kubectl.getJson('nodeop', 'changed')).toBeUndefined();
  });

  test.each<[string, () => Promise<string>]>([
    ['a new object', () => run(['create', '-f', '-'], op('new'))],
    ['a changed object', () => patch('kept', { spec: { command: ['false'] } })],
  ])('%s is rejected with a message that names the webhook', async (_title, act) => {
    const output = await act();
    expect(output).toMatch(/^refused/);
    expect(output).toContain('failed calling webhook "mutate.operator.kairos.io"');
  });
});

describe('the installation', () => {
  test('accepts an object that was rejected before, as soon as the webhook is ready', async () => {
    await program.start('webhook-1');
    await waitFor(async () => (await run(['apply', '-f', '-'], op('early'))).startsWith('done'), {
      what: 'the object',
      seconds: 15,
    });
    expect(await plane.kubectl.getJson('nodeop', 'early')).toMatchObject({ spec: { hostMountPath: '/host' } });
    await plane.kubectl.do(['delete', 'nodeops', '--all']);
  });

  test('grants the webhook only the permissions that it needs', async () => {
    const who = '--as=system:serviceaccount:operator-system:operator-webhook';
    const may = async (...what: string[]) => (await plane.kubectl.try(['auth', 'can-i', ...what, who])).stdout.trim();
    expect(await may('list', 'nodes')).toBe('yes');
    expect(await may('watch', 'namespaces')).toBe('yes');
    expect(await may('get', 'secrets', '-A')).toBe('no');
    expect(await may('list', 'secrets', '-n', 'operator-system')).toBe('no');
    expect(await may('patch', 'nodes')).toBe('no');
    expect(await may('patch', 'validatingwebhookconfigurations/other')).toBe('no');
  });

  test('can be repeated without removing the CA bundle', async () => {
    const configuration = () => plane.kubectl.getJson('validatingwebhookconfiguration', 'operator-webhook');
    const before = await configuration();
    expect(JSON.stringify(before)).toMatch(/"caBundle":"[^"]{100}/);
    await program.configure('apply');
    expect(await configuration()).toEqual(before);
  });
});

describe('the output of kubectl', () => {
  test.each(readdirSync(join(repository, 'manifests/samples')))(
    'has only the expected warnings for the sample %s',
    async file => {
      const text = readFileSync(join(repository, 'manifests/samples', file), 'utf8');
      const { code, stderr } = await plane.kubectl.try(['create', '--dry-run=server', '-f', '-'], { stdin: text });
      const isDisruptive = ['nodeop-reboot.yaml', 'nodeopupgrade.yaml'].includes(file);
      const warning = 'includes cp, the only control-plane node; the API server is unavailable while it reboots';
      const expected = isDisruptive ? `Warning: spec.nodeSelector: ${warning}\n` : '';
      expect({ code, stderr }).toEqual({ code: 0, stderr: expected });
    },
  );

  test('lists all faults of an invalid object', async () => {
    const spec = { concurrency: -1, nodeSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] }, preflight: {} };
    const output = await run(['create', '--dry-run=server', '-f', '-'], op('x', spec));
    expect(output).toContain('* spec.concurrency: Invalid value: -1');
    expect(output).toContain('* spec.nodeSelector.matchExpressions[0].values: Required value');
    expect(output).toContain('* spec.preflight: Required value: exactly one of command and release must be given');
  });

  test('warns about a misspelled field that the client did not reject', async () => {
    const output = await run(['apply', '--dry-run=server', '--validate=false', '-f', '-'], op('x', { concurency: 1 }));
    expect(output).toContain('did you mean "concurrency"?');
  });

  test('warns about a namespace that rejects privileged Pods', async () => {
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    await plane.kubectl.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'strict', labels } });
    const nodeOp = op('x', {}, { namespace: 'strict' });
    const dryRun = () => run(['create', '--dry-run=server', '-f', '-'], nodeOp);
    const output = await waitFor(async () => ((await dryRun()).includes('strict has') ? await dryRun() : undefined), {
      what: 'the warning',
      seconds: 15,
    });
    expect(output).toContain('enforce=restricted, which rejects the privileged Pods of operations');
  });

  test('warns about a missing pull Secret once the webhook may read it', async () => {
    const nodeOp = op('x', { imagePullSecrets: [{ name: 'registry' }] });
    const dryRun = async () => run(['create', '--dry-run=server', '-f', '-'], nodeOp);
    expect(await dryRun()).not.toContain('registry');
    const account = '--serviceaccount=operator-system:operator-webhook';
    await plane.kubectl.do(['create', 'role', 'pull-secrets', '--verb=get', '--resource=secrets', '-n', 'default']);
    await plane.kubectl.do(['create', 'rolebinding', 'pull-secrets', '--role=pull-secrets', account, '-n', 'default']);
    const isWarned = async () => (await dryRun()).includes('Secret "registry" does not exist in namespace "default"');
    await waitFor(isWarned, { what: 'the warning', seconds: 15 });
    await plane.kubectl.do(['create', 'secret', 'generic', 'registry']);
    expect(await dryRun()).not.toContain('registry');
  });
});

test('an overwritten CA bundle is restored within seconds', async () => {
  await program.configure('replace');
  const start = Date.now();
  await waitFor(async () => (await run(['create', '--dry-run=server', '-f', '-'], op('x'))).startsWith('done'), {
    what: 'the webhook to be trusted again',
    seconds: 30,
    everyMs: 200,
  });
  expect(Date.now() - start).toBeLessThan(20_000);
});

describe('under load', () => {
  let replicas: Replica[];

  /** Sends a hundred dry runs a second while `act` runs; returns the errors of those that failed. */
  async function during(act: () => Promise<void>): Promise<{ sent: number; failed: string[] }> {
    const failed: string[] = [];
    const sent: Promise<void>[] = [];
    const send = () =>
      sent.push(kube.dryRun(NODE_OP, op('x'), 'default').catch((error: Error) => void failed.push(error.message)));
    const timer = setInterval(send, 10);
    await act();
    clearInterval(timer);
    await Promise.all(sent);
    return { sent: sent.length, failed };
  }
  const seconds = (count: number) => new Promise(resolve => setTimeout(resolve, count * 1000));
  const kill = (replica: Replica | undefined, signal: 'SIGTERM' | 'SIGKILL') =>
    process.kill(replica?.daemon.record.pid ?? 0, signal);

  test('no request fails when one of two replicas is stopped', async () => {
    program.setEndpoints([]);
    replicas = [await program.start('webhook-2'), await program.start('webhook-3')];
    const [stopping, remaining] = replicas;
    const { sent, failed } = await during(async () => {
      await seconds(2);
      kill(stopping, 'SIGTERM');
      await seconds(1);
      program.setEndpoints([remaining?.port ?? 0]);
      await seconds(9);
    });
    expect(failed).toEqual([]);
    expect(sent).toBeGreaterThan(300);
  });

  test('only requests of a killed replica fail, at most one per connection', async () => {
    const killed = await program.start('webhook-4');
    const { failed } = await during(async () => {
      await seconds(2);
      kill(killed, 'SIGKILL');
      program.setEndpoints([replicas[1]?.port ?? 0]);
      await seconds(4);
    });
    expect(failed.filter(message => !message.includes('failed calling webhook'))).toEqual([]);
    expect(failed.length).toBeLessThanOrEqual(4);
  });
});
