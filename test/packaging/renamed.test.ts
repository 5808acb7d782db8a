/** An overlay that changes the names of all objects, as kustomize users do, changes every field that repeats one. */
import { expect, test } from '@jest/globals';
import { withOverlay } from '../cluster/install.js';
import { containerOf, hasKubectl, kustomized, type Manifest } from './objects.js';

const renamed = (): Promise<Manifest[]> =>
  withOverlay({ namespace: 'other', namePrefix: 'x-', nameSuffix: '-y' }, folder =>
    Promise.resolve(kustomized(folder)),
  );
const byKind = (all: readonly Manifest[], kind: string) => all.filter(each => each.kind === kind);

async function policies() {
  const all = await renamed();
  const names = byKind(all, 'ValidatingAdmissionPolicy').map(({ metadata }) => metadata.name);
  expect(names.filter(name => !/^x-operator-.*-y$/.test(name))).toEqual([]);
  const bound = byKind(all, 'ValidatingAdmissionPolicyBinding').map(({ spec }) => spec?.['policyName']);
  expect(new Set(bound)).toEqual(new Set(names));
  expect(names).toHaveLength(3);
}

async function webhook() {
  const all = await renamed();
  const env = containerOf(all, 'Deployment', 'x-operator-webhook-y').env ?? [];
  const value = (name: string) => env.find(each => each.name === name)?.value;
  expect(value('SERVICE_NAME')).toBe('x-operator-webhook-y');
  expect(value('SECRET_NAME')).toBe('x-operator-webhook-certificate-y');
  expect(value('VALIDATING_CONFIGURATION')).toBe('x-operator-webhook-y');
  expect(value('MUTATING_CONFIGURATION')).toBe('x-operator-webhook-y');
  const rules = all
    .filter(({ metadata }) => metadata.name === 'x-operator-webhook-y')
    .map(object => JSON.stringify(object));
  expect(rules.filter(text => text.includes('"resourceNames":["operator'))).toEqual([]);
  expect(rules.filter(text => text.includes('"resourceNames":["x-operator-webhook'))).toHaveLength(2);
}

if (hasKubectl) {
  test('the bindings of the admission policies name the renamed policies', policies);
  test('the webhook is configured and permitted for its renamed objects', webhook);
} else test('renamed overlays are not tested without kubectl', () => expect(hasKubectl).toBe(false));
