import { describe, expect, test } from '@jest/globals';
import { ownedBy } from '../../../controller/cluster/owner-index.js';
import { pod } from '../../builders.js';
import { emptyCaches } from '../../fakes/caches.js';

describe('the Pods of an owner', () => {
  test('are those of its namespace that name its uid', () => {
    const { pods } = emptyCaches();
    const owner = { kind: 'Job', uid: 'uid-job' };
    pods.put(pod('own', { owner }));
    pods.put(pod('foreign', { owner, namespace: 'tenant' }));
    pods.put(pod('other', { owner: { kind: 'Job', uid: 'uid-other' } }));
    const found = ownedBy(pods, { metadata: { namespace: 'default', uid: 'uid-job' } });
    expect(found.map(({ metadata }) => metadata.name)).toEqual(['own']);
  });
});
