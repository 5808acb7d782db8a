import { describe, expect, test } from '@jest/globals';
import { Replacements } from '../../../../controller/nodeop/act/replacements.js';
import { pod, type PodTraits } from '../../../builders.js';

describe('The evictions of pods that something creates again and again', () => {
  test.each<[string, (round: number) => PodTraits, number]>([
    ['without an owner, under another name each time, end after two', () => ({}), 2],
    [
      'under another owner of the same unknown kind each time end after two',
      round => ({ owner: { kind: 'Runner', uid: `runner-${round}` } }),
      2,
    ],
    ['under the same owner end after one', () => ({ owner: { kind: 'Runner', uid: 'runner' } }), 1],
    ['for another Job each time do not end', round => ({ owner: { kind: 'Job', uid: `job-${round}` } }), 5],
  ])('%s', (_sentence, traitsOf, expected) => {
    const replacements = new Replacements();
    let evicted = 0;
    for (let round = 0; round < 5; round += 1) {
      const next = pod(`a${round}`, traitsOf(round));
      if (replacements.has(next)) continue;
      evicted += 1;
      replacements.noteEviction(next, [next]);
    }
    expect(evicted).toBe(expected);
  });

  test('start again for another drain of the node', () => {
    const replacements = new Replacements();
    for (const name of ['a', 'b']) replacements.noteEviction(pod(name), [pod(name)]);
    expect(replacements.has(pod('c'))).toBe(true);
    replacements.forgetNode('n1');
    expect(replacements.has(pod('c'))).toBe(false);
  });
});
