/** Compares the permissions of the controller with the calls in its code: no unused permission, and no call that RBAC would reject. */
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

/** Matches calls that write, with their resource: `kube.delete(PODS, …)`, `create(SECRETS, …)`, `mergeStatus(kube, NODE_OP, …)`. */
const CALL =
  /(?:\b(?:kube\.(create|patch|replace|delete)|(create))(?:<\w+>)?\(|\b(mergeChange|mergeStatus)\([\w.#]*kube,)\s*([A-Z_]+),/g;
const VERBS: Readonly<Record<string, string>> = { replace: 'update', mergeChange: 'patch', mergeStatus: 'patch' };

function calledVerbs(text: string): string[] {
  const calls = [...text.matchAll(CALL)].map(([, plain, passed, merging, resource = '']) => {
    const method = plain ?? passed ?? merging ?? '';
    const subresource = method === 'mergeStatus' ? '/status' : '';
    return `${VERBS[method] ?? method} ${plurals.get(resource) ?? resource}${subresource}`;
  });
  return [...calls, ...(/\bkube\.evict\(/.test(text) ? ['create pods/eviction'] : [])];
}

const READ_VERBS = ['get', 'list', 'watch'];

/** Read verbs are left out. So is `…/finalizers`, which no call uses: an admission plugin requires it for owner references. */
function grantedVerbs(): string[] {
  const files = ['manifests/default/controller-rbac.yaml', 'manifests/components/migration/rbac.yaml'];
  const documents = files.flatMap(file => parseAllDocuments(readFileSync(file, 'utf8')));
  const rules = documents.map(document => document.toJS() as Role).flatMap(role => role.rules ?? []);
  return rules.flatMap(rule =>
    rule.resources.flatMap(resource =>
      rule.verbs
        .filter(verb => (resource.includes('/') ? !resource.endsWith('/finalizers') : !READ_VERBS.includes(verb)))
        .map(verb => `${verb} ${resource}`),
    ),
  );
}

test('the controller is granted exactly the write permissions that its code uses', () => {
  const files = [...sourceFiles('controller'), 'kube/leader.ts', 'kube/event-recorder.ts'];
  const calls = files.flatMap(file => calledVerbs(readFileSync(file, 'utf8')));
  expect([...new Set(grantedVerbs())].toSorted()).toEqual([...new Set(calls)].toSorted());
});

/** Matches reads with their resource: `kube.get(PODS, …)`, `refreshObject(kube, NODES, …)`, `informer(kube, OS_ARTIFACT, …)`, `watch<CachedNode>(NODES, …)`. */
const READ = /\b(?:kube\.(get|list)|(informer|watch)|(refreshObject))(?:<\w+>)?\((?:(?:this\.#)?kube, )?([A-Z_]+)\b/g;

function readVerbs(text: string): string[] {
  return [...text.matchAll(READ)].flatMap(([, plain, watching, passed, resource = '']) => {
    const verbs = watching === undefined ? [passed === undefined ? (plain ?? '') : 'get'] : ['list', 'watch'];
    return verbs.map(verb => `${verb} ${plurals.get(resource) ?? resource}`);
  });
}

/** Resources that a function gets passed; where it is called, `create` or a read names them. */
const READ_BEFORE_CREATE = ['secrets', 'configmaps', 'persistentvolumeclaims', 'nodeops', 'jobs', 'pods', 'leases'];

test('the controller is granted no read permission that its code does not use', () => {
  const files = [...sourceFiles('controller'), 'kube/leader.ts'];
  const used = new Set(files.flatMap(file => readVerbs(readFileSync(file, 'utf8'))));
  const unused = grantedReads().filter(permission => !used.has(permission) && !isReadBeforeCreate(permission));
  expect(unused).toEqual([]);
});

const isReadBeforeCreate = (permission: string): boolean =>
  READ_BEFORE_CREATE.some(resource => permission === `get ${resource}`);

function grantedReads(): string[] {
  const documents = parseAllDocuments(readFileSync('manifests/default/controller-rbac.yaml', 'utf8'));
  const rules = documents.map(document => document.toJS() as Role).flatMap(role => role.rules ?? []);
  return rules.flatMap(({ resources: of, verbs }) =>
    of.flatMap(resource => verbs.filter(verb => READ_VERBS.includes(verb)).map(verb => `${verb} ${resource}`)),
  );
}
