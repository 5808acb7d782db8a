/** docs/security.md lists every permission of the programs. */
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';

interface Role {
  rules?: { resources: string[]; verbs: string[] }[];
}

/** Resources for which the page uses another name. */
const PAGE_NAMES: Readonly<Record<string, string>> = {
  validatingwebhookconfigurations: 'webhook configurations',
  mutatingwebhookconfigurations: 'webhook configurations',
};

function permissionsOf(program: string): { resource: string; verb: string }[] {
  const text = readFileSync(`manifests/default/${program}-rbac.yaml`, 'utf8');
  const rules = parseAllDocuments(text).flatMap(document => (document.toJS() as Role).rules ?? []);
  return rules.flatMap(({ resources, verbs }) =>
    resources.flatMap(resource => verbs.map(verb => ({ resource, verb }))),
  );
}

/** The first two cells of the table rows in one section. An empty first cell repeats the one above. */
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
])('the section %s lists every permission of the program', (heading, program) => {
  const rows = rowsOf(heading);
  const isListed = ({ resource, verb }: { resource: string; verb: string }) => {
    const name = PAGE_NAMES[resource] ?? resource;
    const matching = rows.filter(
      ({ on }) => on.split(/[,(]/).some(one => one.trim() === name) || on.includes(`${name} named`),
    );
    return matching.some(({ verbs }) => new RegExp(`\\b${verb}\\b`).test(verbs));
  };
  const permissions = permissionsOf(program);
  expect(permissions.length).toBeGreaterThan(3);
  expect(permissions.filter(permission => !isListed(permission))).toEqual([]);
});
