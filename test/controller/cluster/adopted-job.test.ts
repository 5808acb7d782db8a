import { describe, expect, test } from '@jest/globals';
import { ADOPTED_AT, ADOPTED_COMPLETE, completedAt } from '../../../controller/cluster/adopted-job.js';
import { job, NOW, secondsAgo } from '../../builders.js';

/** A Job that was created 600 s ago and took `took` seconds by the clock of the kube-controller-manager. */
function adopted(took: number, annotations: Record<string, string> = {}) {
  const complete = job('complete');
  const lastTransitionTime = secondsAgo(9000 - took);
  return {
    ...complete,
    metadata: { ...complete.metadata, creationTimestamp: secondsAgo(600), annotations },
    status: { startTime: secondsAgo(9000), conditions: [{ type: 'Complete', status: 'True', lastTransitionTime }] },
  };
}

describe('An adopted Job', () => {
  const seen = { [ADOPTED_COMPLETE]: 'true', [ADOPTED_AT]: secondsAgo(200) };
  test.each<[string, ReturnType<typeof adopted>, number]>([
    ['completed when it had taken its time', adopted(100), 500],
    ['does not complete in the future when a clock was set while it ran', adopted(7200), 0],
    ['completed before it was adopted as a complete one', adopted(7200, seen), 200],
    ['may complete after its adoption if it ran then', adopted(500, { ...seen, [ADOPTED_COMPLETE]: 'false' }), 100],
    ['does not complete before it was created', adopted(-7200), 600],
  ])('%s', (_sentence, given, ago) => expect(completedAt(given, NOW)?.toISOString()).toBe(secondsAgo(ago)));

  test('has no known end without a start', () => {
    expect(completedAt({ ...adopted(100), status: { conditions: [] } }, NOW)).toBeUndefined();
  });
});
