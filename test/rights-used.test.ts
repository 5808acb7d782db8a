/** How the rights in the manifests are compared with what the API server's audit log says was used. */
import { expect, test } from '@jest/globals';
import { grantedRights, unusedRights, usedRights } from './cluster/audit-trail.js';

const line = (more: object) =>
  JSON.stringify({
    user: { username: 'system:serviceaccount:operator-system:operator-agent' },
    verb: 'patch',
    objectRef: { resource: 'nodeagents', subresource: 'status' },
    responseStatus: { code: 200 },
    ...more,
  });

test('each use is counted under the program that made it', () => {
  const trail = [line({}), line({}), line({ verb: 'watch', objectRef: { resource: 'nodes' } })].join('\n');
  expect([...usedRights(`${trail}\n`)]).toEqual([
    ['operator-agent: patch nodeagents/status', 2],
    ['operator-agent: watch nodes', 1],
  ]);
});

test('what was forbidden, and what is no resource, is no use of a right', () => {
  const trail = [line({ responseStatus: { code: 403 } }), line({ objectRef: undefined })].join('\n');
  expect(usedRights(trail).size).toBe(0);
});

test('a right that nothing used is found, and one that no request can use is excused', () => {
  const granted = new Set(['a: get pods', 'a: list pods', 'a: update nodeops/finalizers']);
  expect(unusedRights(granted, new Map([['a: list pods', 1]]))).toEqual(['a: get pods']);
});

test('the rights of all three programs are read from the manifests', () => {
  const granted = [...grantedRights()];
  for (const right of [
    'operator-agent: patch nodes',
    'operator-controller: create pods/eviction',
    'operator-controller: update leases',
    'operator-webhook: create secrets',
  ])
    expect(granted).toContain(right);
});
