/** The Secret of the webhook's certificate is installed empty: the webhook may not create one. */
import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../cluster/paths.js';
import { ownTemplate } from './chart-renderer.js';
import { find, hasKubectl, installed, manifestsIn } from './objects.js';

const NAME = 'operator-webhook-certificate';

test.each([
  ['install.yaml', () => manifestsIn(readFileSync(join(repository, 'manifests/install.yaml'), 'utf8'))],
  ['the chart', () => ownTemplate()],
  ...(hasKubectl ? [['kustomize', installed] as const] : []),
])('%s installs it without type and data, so that applying it again keeps both', (_way, objects) => {
  const all = objects();
  const { metadata, ...rest } = find(all, 'Secret', NAME);
  expect(metadata.namespace).toBe('operator-system');
  expect(rest).toEqual({ apiVersion: 'v1', kind: 'Secret' });
  const rules = find(all, 'Role', 'operator-webhook')['rules'];
  expect(rules).toEqual([{ apiGroups: [''], resources: ['secrets'], resourceNames: [NAME], verbs: ['get', 'patch'] }]);
});
