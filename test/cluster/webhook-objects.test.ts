/** Objects with several field managers, and objects stored before a rule was introduced: neither causes conflicts or cannot be deleted. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { ControlPlane } from './control-plane.js';
import { repository } from './paths.js';
import { WebhookProgram } from './webhook-program.js';

jest.setTimeout(900_000); // the programs may have to be compiled first

let plane: ControlPlane;
let program: WebhookProgram | undefined;

const nodeOp = (kind: 'NodeOp' | 'NodeOpUpgrade', name: string, spec: object) => ({
  apiVersion: 'operator.kairos.io/v1alpha1',
  kind,
  metadata: { name, namespace: 'default' },
  spec,
});

/** Specs that break the current rules. */
const INVALID = {
  nodeop: {
    command: ['true'],
    concurrency: -1,
    backoffLimit: -2,
    hostMountPath: '/',
    preflight: {},
    nodeSelector: { matchExpressions: [{ key: 'a', operator: 'NotIn' }] },
  },
  nodeopupgrade: { image: '', allow: ['Everything'], backoffLimit: -2, concurrency: '200%' },
};
const OLD = [
  ['nodeop', INVALID.nodeop],
  ['nodeopupgrade', INVALID.nodeopupgrade],
] as const;

interface Crd {
  spec: { versions: { schema: { openAPIV3Schema: { properties: Record<string, object> } } }[] };
}

/** The CRD with an unvalidated spec. */
function withoutRules(plural: string): string {
  const crd = parse(readFileSync(join(repository, `manifests/crd/${plural}.yaml`), 'utf8')) as Crd;
  for (const { schema } of crd.spec.versions)
    schema.openAPIV3Schema.properties.spec = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return stringify(crd);
}

beforeAll(async () => {
  plane = await ControlPlane.start({ name: 'webhook-objects' });
  const { kubectl } = plane;
  for (const plural of ['nodeops', 'nodeopupgrades'])
    await kubectl.do(['apply', '-f', '-'], { stdin: withoutRules(plural) });
  await kubectl.do(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']);
  for (const name of ['old', 'deleted', 'fixed']) {
    await kubectl.apply(nodeOp('NodeOp', name, INVALID.nodeop));
    await kubectl.apply(nodeOp('NodeOpUpgrade', name, INVALID.nodeopupgrade));
  }
  await kubectl.apply(nodeOp('NodeOpUpgrade', 'of-nothing', { image: 'a', upgradeActive: false }));
  program = await WebhookProgram.install(plane);
  await program.configure();
  await program.start('webhook-objects');
});

afterAll(async () => {
  await program?.stop();
  await plane?.stop();
});

/** Runs kubectl; returns `done` or `refused` and the output of both streams. */
async function run(args: readonly string[], object?: object): Promise<string> {
  const { code, stdout, stderr } = await plane.kubectl.try(args, { stdin: object && JSON.stringify(object) });
  return `${code === 0 ? 'done' : 'refused'}\n${stdout}${stderr}`;
}
const patch = (kind: string, name: string, body: object, ...more: string[]) =>
  run(['patch', kind, name, '--type=merge', '-p', JSON.stringify(body), ...more]);
const stored = async (name: string) => await plane.kubectl.getJson('nodeop', name, '--show-managed-fields');

describe.each(OLD)('a %s stored before the rules', (kind, invalid) => {
  test('can no longer be created', async () => {
    const created = nodeOp(kind === 'nodeop' ? 'NodeOp' : 'NodeOpUpgrade', 'new', invalid);
    expect(await run(['create', '--validate=false', '-f', '-'], created)).toMatch(/^refused/);
  });

  test.each<[string, () => Promise<string>]>([
    ['have its status updated', () => patch(kind, 'old', { status: { phase: 'Pending' } }, '--subresource=status')],
    ['get a finalizer', () => patch(kind, 'old', { metadata: { finalizers: ['operator.kairos.io/claimed'] } })],
    ['lose a finalizer', () => patch(kind, 'old', { metadata: { finalizers: null } })],
    [
      'get labels and annotations',
      () => patch(kind, 'old', { metadata: { labels: { a: 'b' }, annotations: { a: 'b' } } }),
    ],
    ['be paused', () => patch(kind, 'old', { spec: { paused: true } })],
    ['have one of its faults fixed', () => patch(kind, 'fixed', { spec: { concurrency: 1 } })],
    ['be completed', () => patch(kind, 'old', { status: { phase: 'Completed' } }, '--subresource=status')],
    ['be deleted', () => run(['delete', kind, 'deleted', '--timeout=20s'])],
  ])('can %s', async (_title, act) => expect(await act()).toMatch(/^done/));

  test('cannot get another invalid value', async () =>
    expect(await patch(kind, 'fixed', { spec: { backoffLimit: -3 } })).toMatch(/^refused\n[^]*spec\.backoffLimit/));

  test('is deleted when its last finalizer is removed', async () => {
    expect(await patch(kind, 'old', { metadata: { finalizers: ['operator.kairos.io/claimed'] } })).toMatch(/^done/);
    expect(await run(['delete', kind, 'old', '--wait=false'])).toMatch(/^done/);
    expect(await patch(kind, 'old', { metadata: { finalizers: null } })).toMatch(/^done/);
    expect(await plane.kubectl.getJson(kind, 'old')).toBeUndefined();
  });
});

test('a stored upgrade of neither system can be completed, fixed and deleted, but not changed without being fixed', async () => {
  const change = (body: object, ...more: string[]) => patch('nodeopupgrade', 'of-nothing', body, ...more);
  expect(await change({ metadata: { labels: { a: 'b' } } })).toMatch(/^done/);
  expect(await change({ status: { message: 'nothing to do' } }, '--subresource=status')).toMatch(/^done/);
  const refused = await change({ spec: { paused: true } });
  expect(refused).toMatch(/^refused\n[^]*must not both be false: there would be nothing to do/);
  expect(await change({ spec: { paused: true, upgradeRecovery: true } })).toMatch(/^done/);
  expect(await run(['delete', 'nodeopupgrade', 'of-nothing', '--timeout=20s'])).toMatch(/^done/);
});

describe('an object that is applied again', () => {
  test('is unchanged when the manifest is the same', async () => {
    const once = nodeOp('NodeOp', 'again', { command: ['true'], drainOptions: { enabled: true } });
    await plane.kubectl.apply(once);
    const before = await stored('again');
    expect(await run(['apply', '-f', '-'], once)).toContain('unchanged');
    expect(await stored('again')).toEqual(before);
  });

  test('keeps its generation when the manifest contains every default', async () => {
    const { metadata, spec } = (await plane.kubectl.getJson('nodeop', 'again')) ?? {};
    expect(spec).toMatchObject({ hostMountPath: '/host', backoffLimit: 3, drainOptions: { onTimeout: 'Fail' } });
    expect(await run(['apply', '-f', '-'], nodeOp('NodeOp', 'again', spec ?? {}))).toMatch(/^done/);
    expect((await stored('again'))?.metadata?.['generation']).toBe(metadata?.['generation']);
  });
});

describe('an object with several field managers', () => {
  const by = (manager: string, spec: object) =>
    run(['apply', '--server-side', `--field-manager=${manager}`, '-f', '-'], nodeOp('NodeOp', 'shared', spec));
  const ownedBy = async (manager: string): Promise<string> => {
    const entries = (await stored('shared'))?.metadata?.['managedFields'] as { manager: string; fieldsV1: object }[];
    return JSON.stringify(entries.filter(entry => entry.manager === manager).map(({ fieldsV1 }) => fieldsV1));
  };

  test('has each manager own the fields it applied, and none own the defaults', async () => {
    expect(await by('one', { command: ['true'], concurrency: 2 })).toMatch(/^done/);
    expect(await by('two', { paused: true })).toMatch(/^done/);
    expect(await by('one', { command: ['true'], concurrency: 2 })).toMatch(/^done/);
    expect((await stored('shared'))?.spec).toMatchObject({
      command: ['true'],
      concurrency: 2,
      paused: true,
      backoffLimit: 3,
    });
    expect(await ownedBy('one')).toContain('"f:spec":{"f:command":{},"f:concurrency":{}}');
    expect(await ownedBy('two')).toContain('"f:spec":{"f:paused":{}}');
  });

  test('does not change when the same manifests are applied again', async () => {
    const before = await stored('shared');
    expect(await by('one', { command: ['true'], concurrency: 2 })).toMatch(/^done/);
    expect(await by('two', { paused: true })).toMatch(/^done/);
    expect(await stored('shared')).toEqual(before);
  });

  test('gets the default back when the owner of a field omits it', async () => {
    expect(await by('one', { command: ['true'] })).toMatch(/^done/);
    expect((await stored('shared'))?.spec).toMatchObject({ concurrency: 0, paused: true });
  });

  test('reports a conflict between the managers, not with the operator', async () => {
    const output = await by('two', { command: ['false'], paused: true });
    expect(output).toMatch(/^refused/);
    expect(output).toContain('conflict with "one": .spec.command');
  });
});
