import { expect, test } from '@jest/globals';
import { createLog } from '../../program/log.js';

const LONG = 'x'.repeat(1_000_000);

/** The lines that `write` logs. */
function linesOf(write: (log: ReturnType<typeof createLog>) => void): string[] {
  const lines: string[] = [];
  write(createLog({ program: 'test', version: '1' }, 'debug', { write: line => void lines.push(line) }));
  return lines;
}

test.each<[string, object]>([
  ['a field', { object: LONG }],
  ['a list of field paths', { fields: Array.from({ length: 40 }, () => LONG) }],
  ['an error', { err: new Error(LONG) }],
  ['a cause', { err: new Error('x', { cause: new Error(LONG) }) }],
  ['a field of an error', { err: Object.assign(new Error('x'), { causes: [{ field: LONG, message: LONG }] }) }],
])('%s of a log line is cut', (_, fields) => {
  const [line = ''] = linesOf(log => log.warn(fields, 'message'));
  expect(line.length).toBeLessThan(50_000);
  expect(line).toMatch(/more bytes\)/);
  expect(JSON.parse(line)).toMatchObject({ msg: 'message', program: 'test' });
});

test('a field of a child logger is cut in each of its lines', () => {
  const lines = linesOf(log => {
    log.child({ object: LONG }).info('a');
    log.child({ object: 'default/os' }).info({ n: 1 }, 'b');
  });
  expect(lines.map(line => line.length < 2_000)).toEqual([true, true]);
  expect(JSON.parse(lines[1] ?? '')).toMatchObject({ object: 'default/os', n: 1, msg: 'b' });
});

test('an error is logged with type, message and stack', () => {
  const [line = ''] = linesOf(log => log.error({ err: new TypeError('no such thing') }, 'failed'));
  expect(JSON.parse(line)).toMatchObject({
    err: { type: 'TypeError', message: 'no such thing', stack: expect.stringContaining('log.test') },
  });
});
