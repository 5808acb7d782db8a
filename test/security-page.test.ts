/** The page on security tells of every right that the programs have: whoever reads it misses none. */
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';

interface Role {
  rules?: { resources: string[]; verbs: string[] }[];
}

/** Resources that the page calls by another name. */
const CALLED: Readonly<Record<string, string>> = {
  validatingwebhookconfigurations: 'webhook configurations',
  mutatingwebhookconfigurations: 'webhook configurations',
};

function granted(program: string): { resource: string; verb: string }[] {
  const text = readFileSync(`manifests/default/${program}-rbac.yaml`, 'utf8');
  const rules = parseAllDocuments(text).flatMap(document => (document.toJS() as Role).rules ?? []);
  return rules.flatMap(({ resources, verbs }) =>
    resources.flatMap(resource => verbs.map(verb => ({ resource, verb }))),
  );
}

/** Rows of the tables of one section, as first and second cell; an empty first cell goes on with the one above. */
function rowsOf(heading: string): { on: string; verbs: string }[] {
  const page = readFileSync('docs/security.md', 'utf8');
  const section = page.split(/^## /m).find(part => part.startsWith(`${heading}\n`)) ?? '';
  let on = '';
  return section.split('\n').flatMap(line => {
    const [, first = '', second] = line.split('|').map(cell => cell.trim());
    if (second === undefined) return [];
    on = first === '' ? on : first;
    return [{ on, verbs: second }];
  });
}

test.each([
  ['Controller', 'controller'],
  ['Webhook', 'webhook'],
  ['Agent', 'agent'],
])('%s', (heading, program) => {
  const rows = rowsOf(heading);
  const told = ({ resource, verb }: { resource: string; verb: string }) => {
    const name = CALLED[resource] ?? resource;
    const about = rows.filter(
      ({ on }) => on.split(/[,(]/).some(one => one.trim() === name) || on.includes(`${name} named`),
    );
    return about.some(({ verbs }) => new RegExp(`\\b${verb}\\b`).test(verbs));
  };
  const rights = granted(program);
  expect(rights.length).toBeGreaterThan(3);
  expect(rights.filter(right => !told(right))).toEqual([]);
});
