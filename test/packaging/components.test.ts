/** The kustomize components, rendered on top of the default installation. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { stringify } from 'yaml';
import { repository } from '../cluster/paths.js';
import {
  byName,
  containerOf,
  find,
  hasKubectl,
  installed,
  kustomized,
  type Manifest,
  controllerEnv,
} from './objects.js';

const manifests = (name: string) => join(repository, 'manifests', name);

let temporaryFolder: string;
beforeAll(() => {
  temporaryFolder = realpathSync(mkdtempSync(join(tmpdir(), 'operator-components-')));
});
afterAll(() => rmSync(temporaryFolder, { recursive: true, force: true }));

/** Renders the default installation with these components. */
function withComponents(names: readonly string[], more: object = {}): Manifest[] {
  const folder = join(temporaryFolder, names.join('-'));
  mkdirSync(folder, { recursive: true });
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [relative(folder, manifests('default'))],
    components: names.map(name => relative(folder, manifests(`components/${name}`))),
    ...more,
  };
  writeFileSync(join(folder, 'kustomization.yaml'), stringify(kustomization));
  return kustomized(folder);
}

function components() {
  const defaultObjects = byName(installed());

  test('network-policy adds two policies and changes no other object', () => {
    const { 'NetworkPolicy operator-system/operator-controller': controller, ...others } = byName(
      withComponents(['network-policy']),
    );
    const { 'NetworkPolicy operator-system/operator-webhook': webhook, ...unchanged } = others;
    expect(unchanged).toEqual(defaultObjects);
    expect(controller?.spec?.['podSelector']).toEqual(
      find(installed(), 'Deployment', 'operator-controller').spec?.['selector'],
    );
    expect(webhook?.spec?.['podSelector']).toEqual(
      find(installed(), 'Deployment', 'operator-webhook').spec?.['selector'],
    );
  });

  test('network-policy allows exactly the ports of the Pods', () => {
    const all = withComponents(['network-policy']);
    for (const name of ['operator-controller', 'operator-webhook']) {
      const { ingress } = find(all, 'NetworkPolicy', name).spec as { ingress: { ports: { port: string }[] }[] };
      const existing = containerOf(all, 'Deployment', name)['ports'] as { name: string }[];
      const allowed = ingress.flatMap(({ ports }) => ports.map(({ port }) => port));
      expect(allowed.toSorted()).toEqual(existing.map(port => port.name).toSorted());
    }
  });

  test('network-policy uses the namespace of the overlay', () => {
    const all = withComponents(['network-policy'], { namespace: 'other-namespace' });
    expect(find(all, 'NetworkPolicy', 'operator-webhook').metadata.namespace).toBe('other-namespace');
  });

  test('without-admission-policies removes only the admission policies and their bindings', () => {
    const remaining = byName(withComponents(['without-admission-policies']));
    const missing = Object.keys(defaultObjects).filter(name => remaining[name] === undefined);
    expect(missing.map(name => name.split(' ')[0])).toEqual([
      'ValidatingAdmissionPolicy',
      'ValidatingAdmissionPolicy',
      'ValidatingAdmissionPolicy',
      'ValidatingAdmissionPolicyBinding',
      'ValidatingAdmissionPolicyBinding',
      'ValidatingAdmissionPolicyBinding',
    ]);
    expect({ ...defaultObjects, ...remaining }).toEqual(defaultObjects);
  });

  test('without-osartifacts leaves access to Secrets only to the webhook', () => {
    const all = withComponents(['without-osartifacts']);
    const readers = all
      .filter(({ kind, ...one }) => /Role$/.test(kind) && JSON.stringify(one['rules']).includes('"secrets"'))
      .map(({ metadata }) => metadata.name);
    expect(readers).toEqual(['operator-webhook']);
    expect(controllerEnv(all)['BUILD_ARTIFACTS']).toBe('false');
  });

  test('the private-registry overlay sets registry, tag and pull Secret of all Pods from one ConfigMap', () => {
    const all = kustomized(manifests('overlays/private-registry'));
    expect(all.map(({ kind }) => kind)).not.toContain('ConfigMap');
    expect(JSON.stringify(all)).not.toContain('quay.io');
    const env = controllerEnv(all);
    const images = Object.entries(env).filter(([name, value]) => name.endsWith('_IMAGE') && value !== undefined);
    expect(images.map(([, value]) => value?.split('/')[0])).toEqual(images.map(() => 'mirror.example:5000'));
    expect(env['AGENT_IMAGE']).toBe(containerOf(all, 'DaemonSet', 'operator-agent').image);
    expect(env['IMAGE_PULL_SECRETS']).toBe('mirror-credentials');
    for (const account of ['operator-controller', 'operator-webhook', 'operator-agent'])
      expect(find(all, 'ServiceAccount', account)['imagePullSecrets']).toEqual([{ name: 'mirror-credentials' }]);
  });

  test('network-policy, without-admission-policies and without-osartifacts can be combined', () => {
    const all = withComponents(['network-policy', 'without-admission-policies', 'without-osartifacts']);
    expect(all).toHaveLength(installed().length + 2 - 6 - 2);
  });
}

if (hasKubectl)
  describe('components', () => {
    components();
  });
else test('kustomize components are not tested without kubectl', () => expect(hasKubectl).toBe(false));
