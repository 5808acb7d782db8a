import { expect, test } from '@jest/globals';
import { ReadErrorLog, tryRead } from '../../agent/read-errors.js';
import { silentLog } from '../../program/log.js';

test('a read error is logged once, and again after the file was readable', () => {
  const lines: object[] = [];
  const log = { ...silentLog, warn: (fields: object | string) => void lines.push(Object(fields)) };
  const readErrorLog = new ReadErrorLog();
  const [a, b] = ['/a', '/b'].map(path => ({ path, message: 'EIO' }));
  for (const errors of [[a], [a], [a, b], [b], [a, b]])
    readErrorLog.report(
      errors.flatMap(error => error ?? []),
      log,
    );
  expect(lines).toEqual(['/a', '/b', '/a'].map(path => ({ path, error: 'EIO' })));
});

test('a failed read has an error in place of a value', async () => {
  expect(await tryRead('/a', Promise.resolve('text'))).toEqual({ value: 'text' });
  expect(await tryRead('/a', Promise.reject(new Error('EIO')))).toEqual({ error: { path: '/a', message: 'EIO' } });
});
