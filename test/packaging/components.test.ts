/** What a user puts around the default installation, rendered by kustomize. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { stringify } from 'yaml';
import { repository } from '../cluster/places.js';
import { byName, containerOf, find, hasKubectl, installed, kustomized, type Manifest, settingsOf } from './objects.js';

const manifests = (name: string) => join(repository, 'manifests', name);

let place: string;
beforeAll(() => {
  place = realpathSync(mkdtempSync(join(tmpdir(), 'operator-components-')));
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

/** The default installation with these components around it. */
function withComponents(names: readonly string[], more: object = {}): Manifest[] {
  const folder = join(place, names.join('-'));
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
  const plain = byName(installed());

  test('network policies come on top and change nothing else', () => {
    const { 'NetworkPolicy operator-system/operator-controller': controller, ...others } = byName(
      withComponents(['network-policy']),
    );
    const { 'NetworkPolicy operator-system/operator-webhook': webhook, ...left } = others;
    expect(left).toEqual(plain);
    expect(controller?.spec?.['podSelector']).toEqual(
      find(installed(), 'Deployment', 'operator-controller').spec?.['selector'],
    );
    expect(webhook?.spec?.['podSelector']).toEqual(
      find(installed(), 'Deployment', 'operator-webhook').spec?.['selector'],
    );
  });

  test('network policies speak of ports that the Pods have', () => {
    const all = withComponents(['network-policy']);
    for (const name of ['operator-controller', 'operator-webhook']) {
      const { ingress } = find(all, 'NetworkPolicy', name).spec as { ingress: { ports: { port: string }[] }[] };
      const has = containerOf(all, 'Deployment', name)['ports'] as { name: string }[];
      const allowed = ingress.flatMap(({ ports }) => ports.map(({ port }) => port));
      expect(allowed.toSorted()).toEqual(has.map(port => port.name).toSorted());
    }
  });

  test('network policies follow the operator into another namespace', () => {
    const all = withComponents(['network-policy'], { namespace: 'elsewhere' });
    expect(find(all, 'NetworkPolicy', 'operator-webhook').metadata.namespace).toBe('elsewhere');
  });

  test('without admission policies exactly those are missing', () => {
    const left = byName(withComponents(['without-admission-policies']));
    const missing = Object.keys(plain).filter(name => left[name] === undefined);
    expect(missing.map(name => name.split(' ')[0])).toEqual([
      'ValidatingAdmissionPolicy',
      'ValidatingAdmissionPolicy',
      'ValidatingAdmissionPolicyBinding',
      'ValidatingAdmissionPolicyBinding',
    ]);
    expect({ ...plain, ...left }).toEqual(plain);
  });

  test('without OSArtifacts nobody may read a Secret but the webhook its own', () => {
    const all = withComponents(['without-osartifacts']);
    const readers = all
      .filter(({ kind, ...one }) => /Role$/.test(kind) && JSON.stringify(one['rules']).includes('"secrets"'))
      .map(({ metadata }) => metadata.name);
    expect(readers).toEqual(['operator-webhook']);
    expect(settingsOf(all)['BUILD_ARTIFACTS']).toBe('false');
  });

  test('one ConfigMap sets registry, tag and pull secret of every Pod there will be', () => {
    const all = kustomized(manifests('overlays/private-registry'));
    expect(all.map(({ kind }) => kind)).not.toContain('ConfigMap');
    expect(JSON.stringify(all)).not.toContain('quay.io');
    const settings = settingsOf(all);
    const images = Object.entries(settings).filter(([name, value]) => name.endsWith('_IMAGE') && value !== undefined);
    expect(images.map(([, value]) => value?.split('/')[0])).toEqual(images.map(() => 'mirror.example:5000'));
    expect(settings['AGENT_IMAGE']).toBe(containerOf(all, 'DaemonSet', 'operator-agent').image);
    expect(settings['IMAGE_PULL_SECRETS']).toBe('mirror-credentials');
    for (const account of ['operator-controller', 'operator-webhook', 'operator-agent'])
      expect(find(all, 'ServiceAccount', account)['imagePullSecrets']).toEqual([{ name: 'mirror-credentials' }]);
  });

  test('components go together', () => {
    const all = withComponents(['network-policy', 'without-admission-policies', 'without-osartifacts']);
    expect(all).toHaveLength(installed().length + 2 - 4 - 2);
  });
}

if (hasKubectl)
  describe('components', () => {
    components();
  });
else test('there is no kubectl to render components with', () => expect(hasKubectl).toBe(false));
