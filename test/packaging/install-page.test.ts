/** Names in docs/install.md match the repository. */
import { expect, test } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NODE_KEYS } from '../../agent/labels.js';
import { crdFiles } from '../../manifests/generate.js';
import { repository } from '../cluster/paths.js';

const page = readFileSync(join(repository, 'docs/install.md'), 'utf8');

test.each([
  ['label', NODE_KEYS.labels],
  ['annotate', NODE_KEYS.annotations],
] as const)('the documented kubectl %s command removes exactly the keys that agents write', (verb, keys) => {
  const [, removed = ''] = new RegExp(`^kubectl ${verb} nodes --all (.*)$`, 'm').exec(page) ?? [];
  expect(removed.split(' ').toSorted()).toEqual(keys.map(key => `${key}-`).toSorted());
});

test('every file and folder named on the page exists', () => {
  const named = [...page.matchAll(/(?<![/\w])(?:manifests|config|docs)\/[\w./-]*\w/g)].map(([path]) => path);
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter(path => !existsSync(join(repository, path)))).toEqual([]);
});

test('every component is mentioned on the page', () => {
  for (const name of readdirSync(join(repository, 'manifests/components'))) expect(page).toContain(`\`${name}\``);
});

test('the documented uninstallation deletes every CRD', () => {
  const kinds = crdFiles().map(({ path }) => path.replace(/.*\/|\.yaml/g, ''));
  const [, removed = ''] = /kubectl delete crd ([\w. ]+)`/.exec(page) ?? [];
  expect(
    removed
      .split(' ')
      .map(name => name.replace(/\..*/, ''))
      .toSorted(),
  ).toEqual(kinds.toSorted());
});
