import { describe, expect, test } from '@jest/globals';
import { isMarked, isRestored, needsMark, withMark } from '../../../controller/cluster/started-mark.js';

const KEY = 'operator.kairos.io/started';

const object = (mark?: string, status?: { uid?: string }, deletionTimestamp?: string) => ({
  metadata: {
    name: 'op',
    uid: 'own',
    resourceVersion: '1',
    deletionTimestamp,
    annotations: mark === undefined ? undefined : { [KEY]: mark },
  },
  status,
});

describe('An object', () => {
  test.each<[string, string | undefined, { uid?: string } | undefined, boolean]>([
    ['without mark and status is new', undefined, undefined, false],
    ['with its own mark and no status was about to start', 'own', undefined, false],
    ['with its own mark and status is running', 'own', { uid: 'own' }, false],
    ['with a status of an older release is not restored', undefined, {}, false],
    ['whose mark was dropped is not restored', undefined, { uid: 'own' }, false],
    ['whose mark was replaced is not restored', 'former', { uid: 'own' }, false],
    ['with its own mark and the status of another one is retried', 'own', { uid: 'former' }, false],
    ['with the mark of another one is restored', 'former', undefined, true],
    ['with an empty mark is restored', '', undefined, true],
    ['with the mark and the status of another one is restored', 'former', { uid: 'former' }, true],
    ['with the mark of another one and a status of an older release is restored', 'former', {}, true],
    ['with the status of another one, whose mark was dropped, is restored', undefined, { uid: 'former' }, true],
  ])('%s', (_sentence, mark, status, expected) => expect(isRestored(object(mark, status))).toBe(expected));

  test.each<[string, ReturnType<typeof object>, boolean]>([
    ['without a mark needs one', object(), true],
    ['with a mark of its own needs none', object('own'), false],
    ['with the mark of another one needs none, so that no tool is contradicted', object('former'), false],
    ['that is being deleted needs none', object(undefined, undefined, '2026-01-01T00:00:00Z'), false],
  ])('%s', (_sentence, given, expected) => expect(needsMark(given)).toBe(expected));

  test('keeps its other annotations when it is marked', () => {
    const given = object('former');
    const annotations: Record<string, string> = { ...given.metadata.annotations, other: 'kept' };
    const marked = withMark({ ...given, metadata: { ...given.metadata, annotations } });
    expect([isMarked(given), isMarked(marked)]).toEqual([false, true]);
    expect(marked.metadata.annotations).toEqual({ [KEY]: 'own', other: 'kept' });
  });
});
