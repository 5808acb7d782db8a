import { expect, test } from '@jest/globals';
import { ReadErrorLog, tryRead } from '../../agent/read-errors.js';
import { silentLog } from '../../program/log.js';

test('a fault is said once, and again when it comes back', () => {
  const lines: object[] = [];
  const log = { ...silentLog, warn: (fields: object | string) => void lines.push(Object(fields)) };
  const faults = new ReadErrorLog();
  const [a, b] = ['/a', '/b'].map(path => ({ path, why: 'EIO' }));
  for (const standing of [[a], [a], [a, b], [b], [a, b]])
    faults.tell(
      standing.flatMap(one => one ?? []),
      log,
    );
  expect(lines).toEqual([a, b, a]);
});

test('a reading that fails has a reason in the place of a value', async () => {
  expect(await tryRead('/a', Promise.resolve('text'))).toEqual({ value: 'text' });
  expect(await tryRead('/a', Promise.reject(new Error('EIO')))).toEqual({ fault: { path: '/a', why: 'EIO' } });
});
