/** The webhook as a program, asked by a real API server: before it is there, on its first day, and while replicas end under load. */
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
  await plane.kubectl.apply(['kept', 'going', 'changed'].map(name => op(name)));
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

/** What `kubectl` says of it, both streams. */
async function said(args: readonly string[], object?: object): Promise<string> {
  const { code, stdout, stderr } = await plane.kubectl.try(args, { stdin: object && JSON.stringify(object) });
  return `${code === 0 ? 'done' : 'refused'}\n${stdout}${stderr}`;
}
const patch = (name: string, body: object, ...more: string[]) =>
  said(['patch', 'nodeop', name, '--type=merge', '-p', JSON.stringify(body), ...more]);
const asController = ['--as=system:serviceaccount:operator-system:operator-controller', '--as-group=system:masters'];

describe('while nobody answers', () => {
  test.each<[string, () => Promise<string>]>([
    ['a status is written', () => patch('going', { status: { phase: 'Running' } }, '--subresource=status')],
    ['a finalizer is added', () => patch('kept', { metadata: { finalizers: ['operator.kairos.io/claimed'] } })],
    ['a finalizer is removed', () => patch('kept', { metadata: { finalizers: null } })],
    [
      'a label and an annotation are changed',
      () => patch('kept', { metadata: { labels: { a: 'b' }, annotations: { a: 'b' } } }),
    ],
    ['an object is applied again unchanged', () => said(['apply', '-f', '-'], op('kept'))],
    ['an object is deleted', () => said(['delete', 'nodeop', 'going', '--timeout=20s'])],
    ['the controller makes an object', () => said(['create', '-f', '-', ...asController], op('of-the-controller'))],
    ['the controller changes a spec', () => patch('changed', { spec: { paused: true } }, ...asController)],
    ['other kinds are made', () => said(['create', 'configmap', 'any', '--from-literal=a=b'])],
    ['namespaces are made', () => said(['create', 'namespace', 'passing'])],
    ['namespaces are deleted', () => said(['delete', 'namespace', 'passing', '--wait=false'])],
    ['nodes are changed', () => said(['label', 'node', 'w1', 'a=b'])],
  ])('%s', async (_sentence, act) => expect(await act()).toMatch(/^done/));

  test('an object that is being deleted can lose its finalizer, and is gone', async () => {
    expect(await patch('changed', { metadata: { finalizers: ['a.b/c'] } })).toMatch(/^done/);
    expect(await said(['delete', 'nodeop', 'changed', '--wait=false'])).toMatch(/^done/);
    expect(await patch('changed', { metadata: { finalizers: null } })).toMatch(/^done/);
    expect(await plane.kubectl.getJson('nodeop', 'changed')).toBeUndefined();
  });

  test.each<[string, () => Promise<string>]>([
    ['a new wish', () => said(['create', '-f', '-'], op('new'))],
    ['a changed wish', () => patch('kept', { spec: { command: ['false'] } })],
  ])('%s is refused with a sentence that names the webhook', async (_sentence, act) => {
    const words = await act();
    expect(words).toMatch(/^refused/);
    expect(words).toContain('failed calling webhook "mutate.operator.kairos.io"');
  });
});

describe('the first day', () => {
  test('what was refused before the webhook was there is taken as soon as it is ready', async () => {
    await program.start('webhook-1');
    await waitFor(async () => (await said(['apply', '-f', '-'], op('early'))).startsWith('done'), {
      what: 'the wish',
      seconds: 15,
    });
    expect(await plane.kubectl.getJson('nodeop', 'early')).toMatchObject({ spec: { hostMountPath: '/host' } });
    await plane.kubectl.do(['delete', 'nodeops', '--all']);
  });

  test('it may do what it does and no more', async () => {
    const who = '--as=system:serviceaccount:operator-system:operator-webhook';
    const may = async (...what: string[]) => (await plane.kubectl.try(['auth', 'can-i', ...what, who])).stdout.trim();
    expect(await may('list', 'nodes')).toBe('yes');
    expect(await may('watch', 'namespaces')).toBe('yes');
    expect(await may('get', 'secrets', '-A')).toBe('no');
    expect(await may('list', 'secrets', '-n', 'operator-system')).toBe('no');
    expect(await may('patch', 'nodes')).toBe('no');
    expect(await may('patch', 'validatingwebhookconfigurations/other')).toBe('no');
  });

  test('applying the manifests again takes nothing away that the webhook wrote', async () => {
    const configuration = () => plane.kubectl.getJson('validatingwebhookconfiguration', 'operator-webhook');
    const before = await configuration();
    expect(JSON.stringify(before)).toMatch(/"caBundle":"[^"]{100}/);
    await program.configure('apply');
    expect(await configuration()).toEqual(before);
  });
});

describe('what is said', () => {
  test.each(readdirSync(join(repository, 'manifests/samples')))('of the sample %s', async file => {
    const text = readFileSync(join(repository, 'manifests/samples', file), 'utf8');
    const { code, stderr } = await plane.kubectl.try(['create', '--dry-run=server', '-f', '-'], { stdin: text });
    const disturbs = ['nodeop-reboot.yaml', 'nodeopupgrade.yaml'].includes(file);
    const plane1 = '; the API server is away while it reboots';
    const expected = disturbs ? `Warning: spec.nodeSelector: includes cp, the only control plane${plane1}\n` : '';
    expect({ code, stderr }).toEqual({ code: 0, stderr: expected });
  });

  test('of a wrong wish: everything, in one answer', async () => {
    const spec = { concurrency: -1, nodeSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] }, preflight: {} };
    const words = await said(['create', '--dry-run=server', '-f', '-'], op('x', spec));
    expect(words).toContain('* spec.concurrency: Invalid value: -1');
    expect(words).toContain('* spec.nodeSelector.matchExpressions[0].values: Required value');
    expect(words).toContain('* spec.preflight: Required value: exactly one of command and release must be given');
  });

  test('of a misspelt field, where the client lets it pass', async () => {
    const words = await said(['apply', '--dry-run=server', '--validate=false', '-f', '-'], op('x', { concurency: 1 }));
    expect(words).toContain('did you mean "concurrency"?');
  });

  test('of a namespace that refuses such Pods', async () => {
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    await plane.kubectl.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'strict', labels } });
    const nodeOp = op('x', {}, { namespace: 'strict' });
    const look = () => said(['create', '--dry-run=server', '-f', '-'], nodeOp);
    const words = await waitFor(async () => ((await look()).includes('strict has') ? await look() : undefined), {
      what: 'the warning',
      seconds: 15,
    });
    expect(words).toContain('enforce=restricted, which refuses the privileged Pods of operations');
  });

  test('of a pull secret that is missing, once the webhook may look', async () => {
    const nodeOp = op('x', { imagePullSecrets: [{ name: 'registry' }] });
    const look = async () => said(['create', '--dry-run=server', '-f', '-'], nodeOp);
    expect(await look()).not.toContain('registry');
    const account = '--serviceaccount=operator-system:operator-webhook';
    await plane.kubectl.do(['create', 'role', 'pull-secrets', '--verb=get', '--resource=secrets', '-n', 'default']);
    await plane.kubectl.do(['create', 'rolebinding', 'pull-secrets', '--role=pull-secrets', account, '-n', 'default']);
    const heard = async () => (await look()).includes('there is no Secret registry in namespace default now');
    await waitFor(heard, { what: 'the warning', seconds: 15 });
    await plane.kubectl.do(['create', 'secret', 'generic', 'registry']);
    expect(await look()).not.toContain('registry');
  });
});

test('an authority that somebody overwrites is back within seconds', async () => {
  await program.configure('replace');
  const begun = Date.now();
  await waitFor(async () => (await said(['create', '--dry-run=server', '-f', '-'], op('x'))).startsWith('done'), {
    what: 'the webhook to be trusted again',
    seconds: 30,
    everyMs: 200,
  });
  expect(Date.now() - begun).toBeLessThan(20_000);
});

describe('under load', () => {
  let replicas: Replica[];

  /** Wishes by the hundred while something happens; the sentences of those that failed. */
  async function during(act: () => Promise<void>): Promise<{ asked: number; failed: string[] }> {
    const failed: string[] = [];
    const asked: Promise<void>[] = [];
    const ask = () =>
      asked.push(kube.dryRun(NODE_OP, op('x'), 'default').catch((error: Error) => void failed.push(error.message)));
    const timer = setInterval(ask, 10);
    await act();
    clearInterval(timer);
    await Promise.all(asked);
    return { asked: asked.length, failed };
  }
  const seconds = (count: number) => new Promise(resolve => setTimeout(resolve, count * 1000));
  const end = (one: Replica | undefined, signal: 'SIGTERM' | 'SIGKILL') =>
    process.kill(one?.daemon.record.pid ?? 0, signal);

  test('one of two replicas is stopped, and no wish fails', async () => {
    program.reach([]);
    replicas = [await program.start('webhook-2'), await program.start('webhook-3')];
    const [leaving, staying] = replicas;
    const { asked, failed } = await during(async () => {
      await seconds(2);
      end(leaving, 'SIGTERM');
      await seconds(1);
      program.reach([staying?.port ?? 0]);
      await seconds(9);
    });
    expect(failed).toEqual([]);
    expect(asked).toBeGreaterThan(300);
  });

  test('one of two replicas is killed: only what it held can fail, and everything else goes on', async () => {
    const fresh = await program.start('webhook-4');
    const { failed } = await during(async () => {
      await seconds(2);
      end(fresh, 'SIGKILL');
      program.reach([replicas[1]?.port ?? 0]);
      await seconds(4);
    });
    expect(failed.filter(words => !words.includes('failed calling webhook'))).toEqual([]);
    expect(failed.length).toBeLessThanOrEqual(4);
  });
});
