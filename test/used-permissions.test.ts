/** The comparison of the permissions in the manifests with those used according to the API server's audit log. */
import { expect, test } from '@jest/globals';
import { grantedPermissions, unusedPermissions, usedPermissions } from './cluster/audit-log.js';

const line = (more: object) =>
  JSON.stringify({
    user: { username: 'system:serviceaccount:operator-system:operator-agent' },
    verb: 'patch',
    objectRef: { resource: 'nodeagents', subresource: 'status' },
    responseStatus: { code: 200 },
    ...more,
  });

test('each request is counted for the program that sent it', () => {
  const trail = [line({}), line({}), line({ verb: 'watch', objectRef: { resource: 'nodes' } })].join('\n');
  expect([...usedPermissions(`${trail}\n`)]).toEqual([
    ['operator-agent: patch nodeagents/status', 2],
    ['operator-agent: watch nodes', 1],
  ]);
});

test('forbidden requests and requests without a resource are not counted', () => {
  const trail = [line({ responseStatus: { code: 403 } }), line({ objectRef: undefined })].join('\n');
  expect(usedPermissions(trail).size).toBe(0);
});

test('an unused permission is reported, except one that no request can use', () => {
  const granted = new Set(['a: get pods', 'a: list pods', 'a: update nodeops/finalizers']);
  expect(unusedPermissions(granted, new Map([['a: list pods', 1]]))).toEqual(['a: get pods']);
});

test('the permissions of all three programs are read from the manifests', () => {
  const granted = [...grantedPermissions()];
  for (const permission of [
    'operator-agent: patch nodes',
    'operator-controller: create pods/eviction',
    'operator-controller: update leases',
    'operator-webhook: patch secrets',
  ])
    expect(granted).toContain(permission);
});
