import { describe, expect, test } from '@jest/globals';
import { costLines } from '../../demo/cost.js';
import { nodeSeen, podSeen } from '../../demo/seen.js';
import { cut, seconds, table } from '../../demo/table.js';
import { changeIn } from '../../demo/watch.js';

const cache = { folder: '/cache', programs: [], system: true };

describe('the cost of the first run', () => {
  test('nothing is said when everything is there', () => expect(costLines(cache)).toEqual([]));

  test('what must be compiled is named, with time and space', () => {
    const text = costLines({ ...cache, programs: ['etcd', 'kubelet'] }).join('\n');
    expect(text).toContain('compile Kubernetes (etcd, kubelet): about 7 to 10 minutes');
    expect(text).not.toContain('Debian');
    expect(text).toContain('stays in /cache');
  });

  test('the system of the nodes alone is the smaller cost', () => {
    const text = costLines({ ...cache, system: false }).join('\n');
    expect(text).toContain('Debian');
    expect(text).not.toContain('compile');
  });
});

describe('columns', () => {
  test('are as wide as their longest cell, without spaces at the end', () =>
    expect(
      table([
        ['a', 'long', 'x'],
        ['bcd', 'e'],
        ['f', '', 'y'],
      ]),
    ).toEqual(['a    long  x', 'bcd  e', 'f          y']));
  test('of nothing are nothing', () => expect(table([])).toEqual([]));
});

test.each([
  ['fits', 4, 'fits'],
  ['too long', 4, 'too…'],
  ['x', 0, ''],
])('%p in %i columns is %p', (line, width, expected) => expect(cut(line, width).slice(0, width)).toBe(expected));

test.each([
  [0, '0.0 s'],
  [1249, '1.2 s'],
  [undefined, ''],
])('%p milliseconds are written %p', (ms, text) => expect(seconds(ms)).toBe(text));

describe('a line of a watch', () => {
  const object = { metadata: { name: 'n1' } };

  test('tells a change', () => {
    expect(changeIn(JSON.stringify({ type: 'ADDED', object }))).toEqual({ type: 'ADDED', object });
  });

  test.each([
    ['cut in the middle', '{"type":"ADDED","obj'],
    ['empty', ''],
    ['about the stream itself', JSON.stringify({ type: 'ERROR', object: { code: 410 } })],
  ])('%s tells nothing', (_sentence, line) => expect(changeIn(line)).toBeUndefined());
});

describe('objects', () => {
  const conditions = (status: string) => ({ conditions: [{ type: 'Ready', status }] });

  test('a node is seen with its role, version and cordon', () => {
    const object = {
      metadata: {
        name: 'n1',
        labels: { 'node-role.kubernetes.io/master': '' },
        annotations: { 'kairos.io/version': 'v3.5.0' },
      },
      spec: { unschedulable: true },
      status: conditions('True'),
    };
    expect(nodeSeen(object)).toEqual({
      name: 'n1',
      controlPlane: true,
      version: 'v3.5.0',
      schedulable: false,
      ready: true,
    });
  });

  test('a bare node is a worker that is not Ready', () =>
    expect(nodeSeen({ metadata: { name: 'n2' } })).toEqual({
      name: 'n2',
      controlPlane: false,
      version: undefined,
      schedulable: true,
      ready: false,
    }));

  test('a Pod being deleted is leaving, Ready or not', () => {
    const metadata = { name: 'a', deletionTimestamp: '2030-01-01T00:00:00Z' };
    expect(podSeen({ metadata, status: conditions('True') })).toEqual({ name: 'a', ready: true, leaving: true });
    expect(podSeen({ metadata: { name: 'b' }, status: conditions('Unknown') })).toEqual({
      name: 'b',
      ready: false,
      leaving: false,
    });
  });
});
