/** The chart with values other than its defaults, rendered by helm where the cache has it, and by the little engine everywhere. */
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CONTROL_PLANE_LEASE, LEADER_LEASE } from '../../api/names.js';
import { OWN_SETTINGS } from '../../packaging/chart/value-parts.js';
import { Values } from '../../packaging/chart/values.js';
import { CHART, findHelm, helmTemplate, helmText, type Wish } from './helm.js';
import { byName, containerOf, find, manifestsIn, settingsOf } from './objects.js';
import { mergedValues, ownNotes, ownTemplate } from './own-renderer.js';
import { digest, REFUSED, WISHES } from './requested-objects.js';

const helm = findHelm();
const rendered = (wish?: Wish) => (helm === undefined ? ownTemplate(wish) : helmTemplate(helm, wish));
if (helm !== undefined)
  test.each(WISHES)('with %s the little engine renders what helm does', (_what, wish) => {
    expect(byName(ownTemplate(wish))).toEqual(byName(helmTemplate(helm, wish)));
  });

describe('the values', () => {
  test('fit their own schema', () => {
    expect(Values.safeParse(parse(readFileSync(join(CHART, 'values.yaml'), 'utf8')))).toMatchObject({ success: true });
  });

  test.each(REFUSED)('are refused with %s', (_what, values, words) => {
    const { error } = Values.safeParse(mergedValues(values));
    expect(JSON.stringify(error?.issues)).toMatch(words);
  });

  if (helm !== undefined)
    test.each(REFUSED)('are refused by helm, too, with %s', (_what, values, words) => {
      expect(() => helmText(helm, { values })).toThrow(words);
    });

  test.each(['controller', 'webhook', 'agent'] as const)('know all settings that the %s has already', program => {
    const kind = program === 'agent' ? 'DaemonSet' : 'Deployment';
    const set = containerOf(rendered(), kind, `operator-${program}`).env?.map(({ name }) => name);
    expect(set?.toSorted()).toEqual([...OWN_SETTINGS[program]].toSorted());
  });

  test('say the level of a program once', () => {
    const env = [{ name: 'LOG_LEVEL', value: 'debug' }];
    expect(containerOf(rendered({ values: { agent: { env } } }), 'DaemonSet', 'operator-agent').env).toContainEqual(
      env[0],
    );
    expect(() => rendered({ values: { logLevel: 'info', agent: { env } } })).toThrow('say it once');
  });
});

describe('the chart', () => {
  test('puts everything into the namespace that was asked for', () => {
    const all = rendered({ values: { namespace: { name: 'elsewhere' } } });
    expect(JSON.stringify(all)).not.toContain('operator-system');
    expect(find(all, 'Namespace', 'elsewhere').metadata.name).toBe('elsewhere');
  });

  test('leaves the namespace that it made, with what others have in it, when it goes, and says how to remove it', () => {
    expect(find(rendered(), 'Namespace', 'operator-system').metadata.annotations).toEqual({
      'helm.sh/resource-policy': 'keep',
    });
    expect(ownNotes()).toContain('kubectl delete namespace operator-system');
    expect(ownNotes({ release: 'operator-system' })).toContain(`lease/${LEADER_LEASE} lease/${CONTROL_PLANE_LEASE}`);
  });

  test('leaves the namespace of the release to helm', () => {
    const all = rendered({ release: 'operator-system' });
    expect(all.map(({ kind }) => kind)).not.toContain('Namespace');
  });

  test('takes every image from one registry', () => {
    const all = rendered({ values: { images: { registry: 'mirror.example:5000/deep/' } } });
    const used = new Set([
      containerOf(all, 'Deployment', 'operator-controller').image,
      containerOf(all, 'Deployment', 'operator-webhook').image,
      ...Object.entries(settingsOf(all)).flatMap(([name, value]) => (name.endsWith('_IMAGE') ? (value ?? []) : [])),
    ]);
    const listed = readFileSync(join(CHART, '../images.txt'), 'utf8').trim().split('\n');
    expect([...used].toSorted()).toEqual(
      listed.map(image => `mirror.example:5000/deep/${image.replace('quay.io/', '')}`).toSorted(),
    );
    expect(containerOf(all, 'DaemonSet', 'operator-agent').image).toBe(settingsOf(all)['AGENT_IMAGE']);
  });

  test('names the Secrets to pull by for its own Pods and for those that the controller makes', () => {
    const all = rendered({ values: { images: { pullSecrets: [{ name: 'one' }, { name: 'two' }] } } });
    for (const account of ['operator-controller', 'operator-webhook', 'operator-agent'])
      expect(find(all, 'ServiceAccount', account)['imagePullSecrets']).toEqual([{ name: 'one' }, { name: 'two' }]);
    expect(settingsOf(all)['IMAGE_PULL_SECRETS']).toBe('one,two');
  });

  test('takes a digest instead of a tag', () => {
    const all = rendered({ values: { images: { agent: { digest } } } });
    expect(containerOf(all, 'DaemonSet', 'operator-agent').image).toBe(`quay.io/kairos/operator-ts-agent@${digest}`);
  });

  test('says after an installation where the operator is and what to know', () => {
    const notes = ownNotes({ values: { namespace: { name: 'elsewhere' } } });
    expect(notes).toContain('kubectl -n elsewhere rollout status');
    expect(notes).not.toMatch(/pod-security|WITHOUT ADMISSION/);
    expect(notes).toContain('kubectl delete crd nodeops.operator.kairos.io');
  });

  test.each([
    ['a namespace without a PodSecurity level', { release: 'operator-system' }, 'pod-security.kubernetes.io/enforce'],
    ['agents that nothing narrows', { values: { admissionPolicies: { create: false } } }, 'WITHOUT ADMISSION POLICIES'],
  ])('warns of %s', (_what, wish, words) => {
    expect(ownNotes(wish)).toContain(words);
  });

  test('has the network policies of the component, with other ports where they are wished', () => {
    const component = manifestsIn(
      readFileSync(join(CHART, '../components/network-policy/network-policy.yaml'), 'utf8'),
    );
    const policies = (apiServerPorts: number[]) =>
      rendered({ values: { networkPolicy: { create: true, apiServerPorts } } }).filter(
        ({ kind }) => kind === 'NetworkPolicy',
      );
    expect(byName(policies([443, 6443]))).toEqual(byName(component));
    for (const { spec } of policies([16443]))
      expect(spec?.['egress']).toEqual([{ ports: [{ port: 16443, protocol: 'TCP' }] }]);
  });

  test('on a cluster that has no admission policies says what to do, and does it when told', () => {
    const old = { kubernetes: '1.29.9' };
    expect(() => rendered(old)).toThrow('set admissionPolicies.create=false');
    const kinds = rendered({ ...old, values: { admissionPolicies: { create: false } } }).map(({ kind }) => kind);
    expect(kinds).toContain('DaemonSet');
    expect(kinds).not.toContain('ValidatingAdmissionPolicy');
    expect(() => rendered({ kubernetes: '1.30.0' })).not.toThrow();
  });

  test('tells the controller where wishes are obeyed', () => {
    expect(settingsOf(rendered({ values: { allowedNamespaces: ['fleet', 'ops'] } }))['ALLOWED_NAMESPACES']).toBe(
      'fleet,ops',
    );
    expect(settingsOf(rendered())['ALLOWED_NAMESPACES']).toBeUndefined();
  });

  test('grants what the migration needs only where it is wished', () => {
    const named = (wish: Wish) => rendered(wish).filter(({ metadata }) => metadata.name.endsWith('-migration'));
    const component = manifestsIn(readFileSync(join(CHART, '../components/migration/rbac.yaml'), 'utf8'));
    expect(byName(named({ values: { migration: { create: true } } }))).toEqual(byName(component));
    expect(named({})).toEqual([]);
  });

  test('grants no Secret where nothing is built', () => {
    const all = rendered({ values: { osArtifacts: { enabled: false } } });
    expect(all.map(({ metadata }) => metadata.name)).not.toContain('operator-controller-artifacts');
    expect(settingsOf(all)['BUILD_ARTIFACTS']).toBe('false');
  });

  test('has the kinds among its templates, so that an upgrade changes them, and leaves them when it goes', () => {
    for (const { kind, metadata } of rendered().filter(one => one.kind === 'CustomResourceDefinition'))
      expect({ kind, ...metadata.annotations }).toEqual({ kind, 'helm.sh/resource-policy': 'keep' });
  });
});
