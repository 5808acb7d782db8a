import { expect, test } from '@jest/globals';
import { anyOf, limitRange, quotaNeedsLimits, quotaUsedUp, refuseKind } from './admission-policies.js';

const pod = (limits?: Record<string, string>) => ({
  metadata: { name: 'p' },
  spec: { containers: [{ name: 'us', image: 'i', resources: limits && { limits } }] },
});

const asked = (plural: string, object: { metadata: { name?: string } }) => ({
  verb: 'create' as const,
  plural,
  name: 'p',
  object,
});

test.each([
  [
    'a LimitRange with a minimum',
    limitRange({ min: { memory: '128Mi' } }),
    asked('pods', pod({ memory: '64Mi' })),
    'pods "p" is forbidden: minimum memory usage per Container is 128Mi, but request is 64Mi',
  ],
  [
    'a LimitRange with a maximum',
    limitRange({ max: { cpu: '800m' } }),
    asked('pods', pod({ cpu: '1' })),
    'pods "p" is forbidden: maximum cpu usage per Container is 800m, but limit is 1',
  ],
  [
    'a quota on Pods',
    quotaUsedUp('pods'),
    asked('pods', pod()),
    'pods "p" is forbidden: exceeded quota: compute, requested: pods=1, used: pods=10, limited: pods=10',
  ],
  [
    'a quota on memory',
    quotaNeedsLimits('memory'),
    asked('pods', pod()),
    'pods "p" is forbidden: failed quota: compute: must specify limits.memory for: us',
  ],
  [
    'a policy for Jobs',
    refuseKind('jobs', 'no Jobs here'),
    asked('jobs', pod()),
    'admission webhook "validate.policy.example" denied the request: no Jobs here',
  ],
])('%s refuses with the words of the API server', (_name, policy, request, words) => {
  expect(policy(request)?.message).toBe(words);
});

test('a policy for Jobs and a LimitRange that is met refuse no Pod', () => {
  const policy = anyOf(refuseKind('jobs', 'no Jobs here'), limitRange({ max: { memory: '64Mi' } }));
  expect(policy(asked('pods', pod({ memory: '64Mi' })))).toBeUndefined();
});
