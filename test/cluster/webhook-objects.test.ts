/** Objects that several hands write, and objects from before a rule came: nobody is fought over, and all come to their end. */
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

/** What no rule of today would let in. */
const WRONG = {
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
  ['nodeop', WRONG.nodeop],
  ['nodeopupgrade', WRONG.nodeopupgrade],
] as const;

interface Crd {
  spec: { versions: { schema: { openAPIV3Schema: { properties: Record<string, object> } } }[] };
}

/** The CRD of that name with a spec that may be anything. */
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
  for (const name of ['old', 'going', 'mended']) {
    await kubectl.apply(nodeOp('NodeOp', name, WRONG.nodeop));
    await kubectl.apply(nodeOp('NodeOpUpgrade', name, WRONG.nodeopupgrade));
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

/** What `kubectl` says of it, both streams. */
async function said(args: readonly string[], object?: object): Promise<string> {
  const { code, stdout, stderr } = await plane.kubectl.try(args, { stdin: object && JSON.stringify(object) });
  return `${code === 0 ? 'done' : 'refused'}\n${stdout}${stderr}`;
}
const patch = (kind: string, name: string, body: object, ...more: string[]) =>
  said(['patch', kind, name, '--type=merge', '-p', JSON.stringify(body), ...more]);
const look = async (name: string) => await plane.kubectl.getJson('nodeop', name, '--show-managed-fields');

describe.each(OLD)('a %s from before the rules', (kind, wrong) => {
  test('could not be made today', async () => {
    const made = nodeOp(kind === 'nodeop' ? 'NodeOp' : 'NodeOpUpgrade', 'new', wrong);
    expect(await said(['create', '--validate=false', '-f', '-'], made)).toMatch(/^refused/);
  });

  test.each<[string, () => Promise<string>]>([
    ['its status is written', () => patch(kind, 'old', { status: { phase: 'Pending' } }, '--subresource=status')],
    ['it gets a finalizer', () => patch(kind, 'old', { metadata: { finalizers: ['operator.kairos.io/claimed'] } })],
    ['it loses it', () => patch(kind, 'old', { metadata: { finalizers: null } })],
    [
      'it gets labels and annotations',
      () => patch(kind, 'old', { metadata: { labels: { a: 'b' }, annotations: { a: 'b' } } }),
    ],
    ['it is paused', () => patch(kind, 'old', { spec: { paused: true } })],
    ['one of its faults is mended', () => patch(kind, 'mended', { spec: { concurrency: 1 } })],
    ['it is finished', () => patch(kind, 'old', { status: { phase: 'Completed' } }, '--subresource=status')],
    ['it is deleted', () => said(['delete', kind, 'going', '--timeout=20s'])],
  ])('%s', async (_sentence, act) => expect(await act()).toMatch(/^done/));

  test('another wrong value in the place of the first is refused', async () =>
    expect(await patch(kind, 'mended', { spec: { backoffLimit: -3 } })).toMatch(/^refused\n[^]*spec\.backoffLimit/));

  test('it goes when its finalizer goes', async () => {
    expect(await patch(kind, 'old', { metadata: { finalizers: ['operator.kairos.io/claimed'] } })).toMatch(/^done/);
    expect(await said(['delete', kind, 'old', '--wait=false'])).toMatch(/^done/);
    expect(await patch(kind, 'old', { metadata: { finalizers: null } })).toMatch(/^done/);
    expect(await plane.kubectl.getJson(kind, 'old')).toBeUndefined();
  });
});

test('an old upgrade of neither system is finished, mended and deleted; other changes have to mend it, too', async () => {
  const change = (body: object, ...more: string[]) => patch('nodeopupgrade', 'of-nothing', body, ...more);
  expect(await change({ metadata: { labels: { a: 'b' } } })).toMatch(/^done/);
  expect(await change({ status: { message: 'nothing to do' } }, '--subresource=status')).toMatch(/^done/);
  const refused = await change({ spec: { paused: true } });
  expect(refused).toMatch(/^refused\n[^]*must not both be false: there would be nothing to do/);
  expect(await change({ spec: { paused: true, upgradeRecovery: true } })).toMatch(/^done/);
  expect(await said(['delete', 'nodeopupgrade', 'of-nothing', '--timeout=20s'])).toMatch(/^done/);
});

describe('a wish that is applied again', () => {
  test('as it was written is unchanged', async () => {
    const once = nodeOp('NodeOp', 'again', { command: ['true'], drainOptions: { enabled: true } });
    await plane.kubectl.apply(once);
    const before = await look('again');
    expect(await said(['apply', '-f', '-'], once)).toContain('unchanged');
    expect(await look('again')).toEqual(before);
  });

  test('as it is stored, with every default, keeps its generation', async () => {
    const { metadata, spec } = (await plane.kubectl.getJson('nodeop', 'again')) ?? {};
    expect(spec).toMatchObject({ hostMountPath: '/host', backoffLimit: 3, drainOptions: { onTimeout: 'Fail' } });
    expect(await said(['apply', '-f', '-'], nodeOp('NodeOp', 'again', spec ?? {}))).toMatch(/^done/);
    expect((await look('again'))?.metadata?.['generation']).toBe(metadata?.['generation']);
  });
});

describe('a wish that several hands apply', () => {
  const by = (manager: string, spec: object) =>
    said(['apply', '--server-side', `--field-manager=${manager}`, '-f', '-'], nodeOp('NodeOp', 'shared', spec));
  const ownedBy = async (manager: string): Promise<string> => {
    const entries = (await look('shared'))?.metadata?.['managedFields'] as { manager: string; fieldsV1: object }[];
    return JSON.stringify(entries.filter(entry => entry.manager === manager).map(({ fieldsV1 }) => fieldsV1));
  };

  test('each owns what he wrote, nobody the defaults, and nobody conflicts', async () => {
    expect(await by('one', { command: ['true'], concurrency: 2 })).toMatch(/^done/);
    expect(await by('two', { paused: true })).toMatch(/^done/);
    expect(await by('one', { command: ['true'], concurrency: 2 })).toMatch(/^done/);
    expect((await look('shared'))?.spec).toMatchObject({
      command: ['true'],
      concurrency: 2,
      paused: true,
      backoffLimit: 3,
    });
    expect(await ownedBy('one')).toContain('"f:spec":{"f:command":{},"f:concurrency":{}}');
    expect(await ownedBy('two')).toContain('"f:spec":{"f:paused":{}}');
  });

  test('applying the same again changes nothing at all', async () => {
    const before = await look('shared');
    expect(await by('one', { command: ['true'], concurrency: 2 })).toMatch(/^done/);
    expect(await by('two', { paused: true })).toMatch(/^done/);
    expect(await look('shared')).toEqual(before);
  });

  test('what its owner takes back becomes the default again', async () => {
    expect(await by('one', { command: ['true'] })).toMatch(/^done/);
    expect((await look('shared'))?.spec).toMatchObject({ concurrency: 0, paused: true });
  });

  test('a field of another is a conflict between the two, not with the operator', async () => {
    const words = await by('two', { command: ['false'], paused: true });
    expect(words).toMatch(/^refused/);
    expect(words).toContain('conflict with "one": .spec.command');
  });
});
