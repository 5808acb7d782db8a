import { describe, expect, test } from '@jest/globals';
import { progressOf } from '../../../controller/artifact/progress/builder-progress.js';
import { NOW, pod, secondsAgo } from '../../builders.js';

describe('A builder Pod to which admission added a container', () => {
  const proxy = { name: 'istio-proxy', state: { running: { startedAt: secondsAgo(5) } } };
  const withList = (state: object) => pod('os-x', { containers: [proxy, { name: 'list-artifacts', state }] });
  test.each<[string, object, string]>([
    ['has succeeded when its last step has, although the other one runs', { terminated: { exitCode: 0 } }, 'succeeded'],
    ['has failed when its last step has, although the other one runs', { terminated: { exitCode: 1 } }, 'failed'],
    ['is running while its last step runs', { running: { startedAt: secondsAgo(5) } }, 'running'],
  ])('%s', (_title, state, expected) => expect(progressOf(withList(state), NOW, NOW).is).toBe(expected));
});
