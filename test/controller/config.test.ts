import { expect, test } from '@jest/globals';
import { configWarnings } from '../../controller/config.js';

test('The controller warns about an installation into kube-system, and about no other namespace', () => {
  expect(configWarnings({ podNamespace: 'kube-system' })).toEqual([expect.stringContaining('kube-system')]);
  expect(configWarnings({ podNamespace: 'operator-system' })).toEqual([]);
});
