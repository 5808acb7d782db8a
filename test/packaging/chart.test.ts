/** The chart with values other than the defaults, rendered by Helm if the cache contains it, and otherwise by the test's own renderer. */
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CONTROL_PLANE_LEASE, LEADER_LEASE } from '../../api/names.js';
import { BUILT_IN_ENV } from '../../packaging/chart/value-parts.js';
import { Values } from '../../packaging/chart/values.js';
import { CHART, findHelm, helmTemplate, helmText, type ChartInputs } from './helm.js';
import { byName, containerOf, find, manifestsIn, controllerEnv } from './objects.js';
import { mergedValues, ownNotes, ownTemplate } from './chart-renderer.js';
import { digest, REFUSED, CHART_INPUTS } from './chart-inputs.js';

const helm = findHelm();
const rendered = (inputs?: ChartInputs) => (helm === undefined ? ownTemplate(inputs) : helmTemplate(helm, inputs));
if (helm !== undefined)
  test.each(CHART_INPUTS)('the own renderer has the same output as Helm with %s', (_name, inputs) => {
    expect(byName(ownTemplate(inputs))).toEqual(byName(helmTemplate(helm, inputs)));
  });

describe('the values', () => {
  test('match their own schema by default', () => {
    expect(Values.safeParse(parse(readFileSync(join(CHART, 'values.yaml'), 'utf8')))).toMatchObject({ success: true });
  });

  test.each(REFUSED)('are rejected with %s', (_name, values, message) => {
    const { error } = Values.safeParse(mergedValues(values));
    expect(JSON.stringify(error?.issues)).toMatch(message);
  });

  if (helm !== undefined)
    test.each(REFUSED)('are rejected by Helm with %s', (_name, values, message) => {
      expect(() => helmText(helm, { values })).toThrow(message);
    });

  test.each(['controller', 'webhook', 'agent'] as const)(
    'reserve every environment variable that the template of the %s sets',
    program => {
      const kind = program === 'agent' ? 'DaemonSet' : 'Deployment';
      const set = containerOf(rendered(), kind, `operator-${program}`).env?.map(({ name }) => name);
      expect(set?.toSorted()).toEqual([...BUILT_IN_ENV[program]].toSorted());
    },
  );

  test('accept the log level of a program only once', () => {
    const env = [{ name: 'LOG_LEVEL', value: 'debug' }];
    expect(containerOf(rendered({ values: { agent: { env } } }), 'DaemonSet', 'operator-agent').env).toContainEqual(
      env[0],
    );
    expect(() => rendered({ values: { logLevel: 'info', agent: { env } } })).toThrow('set it once');
  });
});

describe('the chart with allowedNamespaces', () => {
  const [name, values] = ['operator-controller-artifacts', { allowedNamespaces: ['fleet', 'ops'] }];
  const resourcesOf = (role: unknown) =>
    (role as { rules: { resources: string[] }[] }).rules.flatMap(({ resources }) => resources);

  test('permits to read and write Secrets in these namespaces only', () => {
    const all = rendered({ values });
    const artifacts = ['osartifacts', 'osartifacts/status', 'osartifacts/finalizers'];
    expect(resourcesOf(find(all, 'ClusterRole', name))).toEqual(artifacts);
    const roles = all.filter(({ kind, metadata }) => kind === 'Role' && metadata.name === name);
    expect(roles.map(({ metadata }) => metadata.namespace)).toEqual(['fleet', 'ops']);
    for (const role of roles) expect(resourcesOf(role)).toEqual(['secrets', 'configmaps', 'persistentvolumeclaims']);
    const bindings = all.filter(({ kind, metadata }) => kind === 'RoleBinding' && metadata.name === name);
    expect(bindings.map(({ metadata }) => metadata.namespace)).toEqual(['fleet', 'ops']);
    expect(JSON.stringify(bindings)).toContain('"name":"operator-controller","namespace":"operator-system"');
  });

  test('has no such roles when nothing is built', () => {
    const all = rendered({ values: { ...values, osArtifacts: { enabled: false } } });
    expect(all.filter(({ metadata }) => metadata.name === name)).toEqual([]);
  });
});

describe('the chart', () => {
  test('installs everything in the configured namespace', () => {
    const all = rendered({ values: { namespace: { name: 'other-namespace' } } });
    expect(JSON.stringify(all)).not.toContain('operator-system');
    expect(find(all, 'Namespace', 'other-namespace').metadata.name).toBe('other-namespace');
  });

  test('keeps the namespace when it is uninstalled, and explains how to remove it', () => {
    expect(find(rendered(), 'Namespace', 'operator-system').metadata.annotations).toEqual({
      'helm.sh/resource-policy': 'keep',
    });
    expect(ownNotes()).toContain('kubectl delete namespace operator-system');
    expect(ownNotes({ release: 'operator-system' })).toContain(`lease/${LEADER_LEASE} lease/${CONTROL_PLANE_LEASE}`);
  });

  test('does not create the namespace of the release', () => {
    const all = rendered({ release: 'operator-system' });
    expect(all.map(({ kind }) => kind)).not.toContain('Namespace');
  });

  test('takes every image from the configured registry', () => {
    const all = rendered({ values: { images: { registry: 'mirror.example:5000/deep/' } } });
    const used = new Set([
      containerOf(all, 'Deployment', 'operator-controller').image,
      containerOf(all, 'Deployment', 'operator-webhook').image,
      ...Object.entries(controllerEnv(all)).flatMap(([name, value]) => (name.endsWith('_IMAGE') ? (value ?? []) : [])),
    ]);
    const listed = readFileSync(join(CHART, '../images.txt'), 'utf8').trim().split('\n');
    expect([...used].toSorted()).toEqual(
      listed.map(image => `mirror.example:5000/deep/${image.replace('quay.io/', '')}`).toSorted(),
    );
    expect(containerOf(all, 'DaemonSet', 'operator-agent').image).toBe(controllerEnv(all)['AGENT_IMAGE']);
  });

  test('sets the pull Secrets for its own Pods and for those that the controller creates', () => {
    const all = rendered({ values: { images: { pullSecrets: [{ name: 'one' }, { name: 'two' }] } } });
    for (const account of ['operator-controller', 'operator-webhook', 'operator-agent'])
      expect(find(all, 'ServiceAccount', account)['imagePullSecrets']).toEqual([{ name: 'one' }, { name: 'two' }]);
    expect(controllerEnv(all)['IMAGE_PULL_SECRETS']).toBe('one,two');
  });

  test('uses a digest instead of a tag', () => {
    const all = rendered({ values: { images: { agent: { digest } } } });
    expect(containerOf(all, 'DaemonSet', 'operator-agent').image).toBe(`quay.io/kairos/operator-ts-agent@${digest}`);
  });

  test('prints the namespace and the uninstallation steps after an installation', () => {
    const notes = ownNotes({ values: { namespace: { name: 'other-namespace' } } });
    expect(notes).toContain('kubectl -n other-namespace rollout status');
    expect(notes).not.toMatch(/pod-security|WITHOUT ADMISSION/);
    expect(notes).toContain('kubectl delete crd nodeops.operator.kairos.io');
  });

  test.each([
    ['a namespace without a PodSecurity level', { release: 'operator-system' }, 'pod-security.kubernetes.io/enforce'],
    [
      'agents without admission policies',
      { values: { admissionPolicies: { create: false } } },
      'WITHOUT ADMISSION POLICIES',
    ],
  ])('warns of %s', (_name, inputs, message) => {
    expect(ownNotes(inputs)).toContain(message);
  });

  test('has the network policies of the kustomize component, with configurable ports', () => {
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

  test('requires admissionPolicies.create=false on a cluster without ValidatingAdmissionPolicy', () => {
    const old = { kubernetes: '1.29.9' };
    expect(() => rendered(old)).toThrow('set admissionPolicies.create=false');
    const kinds = rendered({ ...old, values: { admissionPolicies: { create: false } } }).map(({ kind }) => kind);
    expect(kinds).toContain('DaemonSet');
    expect(kinds).not.toContain('ValidatingAdmissionPolicy');
    expect(() => rendered({ kubernetes: '1.30.0' })).not.toThrow();
  });

  test('passes allowedNamespaces to the controller', () => {
    expect(controllerEnv(rendered({ values: { allowedNamespaces: ['fleet', 'ops'] } }))['ALLOWED_NAMESPACES']).toBe(
      'fleet,ops',
    );
    expect(controllerEnv(rendered())['ALLOWED_NAMESPACES']).toBeUndefined();
  });

  test('grants the permissions for the migration only when they are enabled', () => {
    const migrationObjects = (inputs: ChartInputs) =>
      rendered(inputs).filter(({ metadata }) => metadata.name.endsWith('-migration'));
    const component = manifestsIn(readFileSync(join(CHART, '../components/migration/rbac.yaml'), 'utf8'));
    expect(byName(migrationObjects({ values: { migration: { create: true } } }))).toEqual(byName(component));
    expect(migrationObjects({})).toEqual([]);
  });

  test('grants no access to Secrets when OSArtifacts are disabled', () => {
    const all = rendered({ values: { osArtifacts: { enabled: false } } });
    expect(all.map(({ metadata }) => metadata.name)).not.toContain('operator-controller-artifacts');
    expect(controllerEnv(all)['BUILD_ARTIFACTS']).toBe('false');
  });

  test('has the CRDs among its templates, so that an upgrade updates them, and keeps them when it is uninstalled', () => {
    for (const { kind, metadata } of rendered().filter(one => one.kind === 'CustomResourceDefinition'))
      expect({ kind, ...metadata.annotations }).toEqual({ kind, 'helm.sh/resource-policy': 'keep' });
  });
});
