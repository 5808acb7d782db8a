/** Another namespace, another registry and a pull secret: an overlay and the chart make the same of it. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { stringify } from 'yaml';
import { repository } from '../cluster/places.js';
import { byName, containerOf, hasKubectl, kustomized, type Manifest, settingsOf, unmarked } from './objects.js';
import { ownTemplate } from './own-renderer.js';
import { digest } from './requested-objects.js';

let place: string;
beforeAll(() => {
  place = realpathSync(mkdtempSync(join(tmpdir(), 'operator-elsewhere-')));
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

/** The example of a private registry, in another namespace. */
function overlay(name: string, more: object = {}): Manifest[] {
  const folder = join(place, name);
  mkdirSync(folder);
  const of = (path: string) => relative(folder, join(repository, 'manifests', path));
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [of('overlays/private-registry')],
    namespace: 'elsewhere',
    components: [of('components/network-policy')],
    transformers: [of('derived')],
    ...more,
  };
  writeFileSync(join(folder, 'kustomization.yaml'), stringify(kustomization));
  return kustomized(folder);
}

function elsewhere() {
  test('an overlay has the same objects as the chart', () => {
    const values = {
      namespace: { name: 'elsewhere' },
      images: { registry: 'mirror.example:5000', pullSecrets: [{ name: 'mirror-credentials' }] },
      networkPolicy: { create: true },
    };
    expect(byName(overlay('same'))).toEqual(byName(ownTemplate({ values }).map(unmarked)));
  });

  test('no object that belongs to the whole cluster is put into a namespace', () => {
    const placed = overlay('wide').filter(({ metadata }) => metadata.namespace !== undefined);
    const wide = /^(Namespace|Cluster|CustomResource|Validating|Mutating)/;
    expect(placed.filter(({ kind }) => wide.test(kind))).toEqual([]);
    expect(placed.map(({ metadata }) => metadata.namespace)).toEqual(placed.map(() => 'elsewhere'));
  });

  test('a digest that the overlay names holds over the tag, for all that repeats the image, too', () => {
    const name = 'mirror.example:5000/kairos/operator-ts-agent';
    const all = overlay('digest', { images: [{ name, digest }] });
    expect(containerOf(all, 'DaemonSet', 'operator-agent').image).toBe(`${name}@${digest}`);
    expect(settingsOf(all)['AGENT_IMAGE']).toBe(`${name}@${digest}`);
  });
}

if (hasKubectl)
  describe('elsewhere', () => {
    elsewhere();
  });
else test('there is no kubectl to render overlays with', () => expect(hasKubectl).toBe(false));
