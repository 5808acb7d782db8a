import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';

const PAGES = ['.', 'docs', 'docs/decisions'].flatMap(folder =>
  readdirSync(folder)
    .filter(name => name.endsWith('.md'))
    .map(name => join(folder, name)),
);

/** Decisions are history: files that they name may have moved since. */
const CURRENT = PAGES.filter(page => !/decisions\/\d/.test(page) && page !== 'CHANGELOG.md');

const linksIn = (page: string): string[] =>
  [...readFileSync(page, 'utf8').matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, target = '']) => target);

test('every relative link in a document leads to a file', () => {
  const faults = PAGES.flatMap(page =>
    linksIn(page)
      .filter(target => !/^[a-z]+:/.test(target) && !existsSync(join(dirname(page), target)))
      .map(target => `${page}: ${target}`),
  );
  expect(faults).toEqual([]);
});

test('every source file or folder that a document names exists', () => {
  const NAMED =
    /`((?:api|agent|bench|certs|config|controller|demo|docs|kube|manifests|packaging|program|test|webhook)\/[\w./-]*)`/g;
  const faults = CURRENT.flatMap(page =>
    [...readFileSync(page, 'utf8').matchAll(NAMED)]
      .map(([, name = '']) => name)
      .filter(name => !existsSync(name))
      .map(name => `${page}: ${name}`),
  );
  expect(faults).toEqual([]);
});

test('every page is reached from the README in two clicks', () => {
  const from = (page: string) => linksIn(page).map(target => join(dirname(page), target));
  const first = from('README.md');
  const second = first.filter(page => page.endsWith('.md') && existsSync(page)).flatMap(from);
  const reached = new Set(['README.md', ...first, ...second]);
  expect(CURRENT.filter(page => !reached.has(page))).toEqual([]);
});

test('the index of decisions lists every record', () => {
  const records = readdirSync('docs/decisions').filter(name => /^\d/.test(name));
  expect(records.filter(name => !linksIn('docs/decisions/README.md').includes(name))).toEqual([]);
});
