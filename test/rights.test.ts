/** What the controller may write, compared with what its code writes: no right that nobody uses, no call that would be refused. */
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import * as kinds from '../api/kinds.js';
import * as resources from '../kube/resources.js';
import { sourceFiles } from './imports.js';

interface Role {
  kind: string;
  rules?: { resources: string[]; verbs: string[] }[];
}

const plurals = new Map(
  Object.entries({ ...resources, ...kinds }).flatMap(([name, value]) =>
    'plural' in value ? [[name, value.plural] as const] : [],
  ),
);

/** The verb of each method, and where it goes: `kube.delete(PODS, …)`, `mergeStatus(kube, NODE_OP, …)`. */
const CALL =
  /(?:kube\.(create|patch|replace|delete)(?:<\w+>)?\(|\b(mergeChange|mergeStatus)\([\w.#]*kube,)\s*([A-Z_]+),/g;
const VERBS: Readonly<Record<string, string>> = { replace: 'update', mergeChange: 'patch', mergeStatus: 'patch' };

function called(text: string): string[] {
  const calls = [...text.matchAll(CALL)].map(([, plain, merging, resource = '']) => {
    const method = plain ?? merging ?? '';
    const below = method === 'mergeStatus' ? '/status' : '';
    return `${VERBS[method] ?? method} ${plurals.get(resource) ?? resource}${below}`;
  });
  return [...calls, ...(/\bkube\.evict\(/.test(text) ? ['create pods/eviction'] : [])];
}

const LOOKING = ['get', 'list', 'watch'];

/** Looking at a whole resource is one right in three words; `…/finalizers` is asked for by a guard of owner references, not by a call. */
function granted(): string[] {
  const files = ['manifests/default/controller-rbac.yaml', 'manifests/components/migration/rbac.yaml'];
  const documents = files.flatMap(file => parseAllDocuments(readFileSync(file, 'utf8')));
  const rules = documents.map(document => document.toJS() as Role).flatMap(role => role.rules ?? []);
  return rules.flatMap(rule =>
    rule.resources.flatMap(resource =>
      rule.verbs
        .filter(verb => (resource.includes('/') ? !resource.endsWith('/finalizers') : !LOOKING.includes(verb)))
        .map(verb => `${verb} ${resource}`),
    ),
  );
}

test('the controller may write exactly what its code writes', () => {
  const files = [...sourceFiles('controller'), 'kube/leader.ts', 'kube/recorder.ts'];
  const calls = files.flatMap(file => called(readFileSync(file, 'utf8')));
  expect([...new Set(granted())].toSorted()).toEqual([...new Set(calls)].toSorted());
});
