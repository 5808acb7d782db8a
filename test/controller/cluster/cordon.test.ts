import { describe, expect, test } from '@jest/globals';
import {
  type CordonOwner,
  cordonOwnerOf,
  cordonPatch,
  formatCordonMark,
  parseCordonMark,
  UNCORDON_PATCH,
} from '../../../controller/cluster/cordon.js';
import { node } from '../../builders.js';

const OWNER: CordonOwner = { namespace: 'infra', name: 'upgrade', uid: '5d1f-77' };

describe('A cordon mark', () => {
  test.each<[string, string | undefined, CordonOwner | undefined]>([
    ['names namespace, name and uid of a NodeOp', 'infra/upgrade@5d1f-77', OWNER],
    ['may have a name with dots', 'infra/v1.2.upgrade@u', { namespace: 'infra', name: 'v1.2.upgrade', uid: 'u' }],
    ['is absent on nodes without the annotation', undefined, undefined],
    ['is none without a uid', 'infra/upgrade', undefined],
    ['is none without a namespace', 'upgrade@5d1f-77', undefined],
    ['is none when it is any other text', 'maintenance', undefined],
  ])('%s', (_sentence, mark, owner) => expect(parseCordonMark(mark)).toEqual(owner));

  test('is parsed to what it was formatted from', () =>
    expect(parseCordonMark(formatCordonMark(OWNER))).toEqual(OWNER));

  test('is read from the annotation of a node', () => {
    expect(cordonOwnerOf(node('n1', { mark: 'infra/upgrade@5d1f-77' }))).toEqual(OWNER);
    expect(cordonOwnerOf(node('n1'))).toBeUndefined();
    expect(cordonOwnerOf(undefined)).toBeUndefined();
  });

  test('is set and removed in one patch with spec.unschedulable', () => {
    const annotation = 'operator.kairos.io/cordoned-by';
    expect(cordonPatch('a/b@c')).toEqual({
      metadata: { annotations: { [annotation]: 'a/b@c' } },
      spec: { unschedulable: true },
    });
    expect(UNCORDON_PATCH).toEqual({
      metadata: { annotations: { [annotation]: null } },
      spec: { unschedulable: null },
    });
  });
});
