/** An overlay and the chart install the same objects in another namespace, from another registry, with a pull Secret. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { stringify } from 'yaml';
import { repository } from '../cluster/paths.js';
import {
  byName,
  containerOf,
  hasKubectl,
  kustomized,
  type Manifest,
  controllerEnv,
  withoutKeepPolicy,
} from './objects.js';
import { ownTemplate } from './chart-renderer.js';
import { digest } from './chart-inputs.js';

let temporaryFolder: string;
beforeAll(() => {
  temporaryFolder = realpathSync(mkdtempSync(join(tmpdir(), 'operator-other-namespace-')));
});
afterAll(() => rmSync(temporaryFolder, { recursive: true, force: true }));

/** Renders the private-registry example in another namespace. */
function overlay(name: string, more: object = {}): Manifest[] {
  const folder = join(temporaryFolder, name);
  mkdirSync(folder);
  const of = (path: string) => relative(folder, join(repository, 'manifests', path));
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [of('overlays/private-registry')],
    namespace: 'other-namespace',
    components: [of('components/network-policy')],
    transformers: [of('derived')],
    ...more,
  };
  writeFileSync(join(folder, 'kustomization.yaml'), stringify(kustomization));
  return kustomized(folder);
}

function otherNamespace() {
  test('has the same objects from an overlay as from the chart', () => {
    const values = {
      namespace: { name: 'other-namespace' },
      images: { registry: 'mirror.example:5000', pullSecrets: [{ name: 'mirror-credentials' }] },
      networkPolicy: { create: true },
    };
    expect(byName(overlay('same'))).toEqual(byName(ownTemplate({ values }).map(withoutKeepPolicy)));
  });

  test('sets the namespace only on namespaced objects', () => {
    const namespaced = overlay('wide').filter(({ metadata }) => metadata.namespace !== undefined);
    const clusterScoped = /^(Namespace|Cluster|CustomResource|Validating|Mutating)/;
    expect(namespaced.filter(({ kind }) => clusterScoped.test(kind))).toEqual([]);
    expect(namespaced.map(({ metadata }) => metadata.namespace)).toEqual(namespaced.map(() => 'other-namespace'));
  });

  test('uses the digest of an overlay instead of the tag wherever the image is repeated', () => {
    const name = 'mirror.example:5000/kairos/operator-ts-agent';
    const all = overlay('digest', { images: [{ name, digest }] });
    expect(containerOf(all, 'DaemonSet', 'operator-agent').image).toBe(`${name}@${digest}`);
    expect(controllerEnv(all)['AGENT_IMAGE']).toBe(`${name}@${digest}`);
  });
}

if (hasKubectl)
  describe('an installation in another namespace', () => {
    otherNamespace();
  });
else test('overlays in another namespace are not tested without kubectl', () => expect(hasKubectl).toBe(false));
