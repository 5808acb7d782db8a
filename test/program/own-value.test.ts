import { expect, test } from '@jest/globals';
import { ownValue } from '../../program/own-value.js';
import { isSameJson, mergeDiff } from '../../kube/merge-patch.js';

test.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])('a table has no value for the key "%s"', key => {
  expect(ownValue({ a: 1 }, key)).toBeUndefined();
});
test('a table has the values that it was given', () => {
  expect(ownValue({ constructor: 1 }, 'constructor')).toBe(1);
  expect(ownValue(undefined, 'constructor')).toBeUndefined();
});

test('a patch contains the entry of a node that is named constructor', () => {
  const entry = { phase: 'Pending' };
  expect(mergeDiff({ nodes: {} }, { nodes: { constructor: entry } })).toEqual({ nodes: { constructor: entry } });
  expect(isSameJson({}, { constructor: entry })).toBe(false);
});
