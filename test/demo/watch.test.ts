import { describe, expect, test } from '@jest/globals';
import { parseChange } from '../../demo/watch.js';

describe('an output line of kubectl get --watch', () => {
  const object = { metadata: { name: 'n1' } };

  test('is parsed into a change', () => {
    expect(parseChange(JSON.stringify({ type: 'ADDED', object }))).toEqual({ type: 'ADDED', object });
  });

  test.each([
    ['is cut in the middle', '{"type":"ADDED","obj'],
    ['is empty', ''],
    ['is about the stream itself', JSON.stringify({ type: 'ERROR', object: { code: 410 } })],
  ])('is no change when it %s', (_sentence, line) => expect(parseChange(line)).toBeUndefined());
});
