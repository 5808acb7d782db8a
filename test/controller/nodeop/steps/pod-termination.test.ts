import { describe, expect, test } from '@jest/globals';
import { terminationDeadline } from '../../../../controller/nodeop/steps/pod-termination.js';
import { after } from '../../../../program/clock.js';
import { NOW, pod, type PodTraits } from '../../../builders.js';

describe('Terminating pods are waited for', () => {
  test.each<[string, PodTraits[], Date | undefined]>([
    ['300 s beyond the grace period', [{ terminating: 0 }], after(NOW, 300)],
    ['beyond the longest grace period of several', [{ terminating: 100 }, { terminating: 20 }], after(NOW, 280)],
    ['without a deadline while one of them is not terminating', [{ terminating: 100 }, {}], undefined],
  ])('%s', (_sentence, pods, expected) =>
    expect(terminationDeadline(pods.map((traits, index) => pod(`p${index}`, traits)))).toEqual(expected),
  );
});
