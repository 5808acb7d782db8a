import { describe, expect, test } from '@jest/globals';
import { firstRunLines } from '../../demo/first-run.js';

const cache = { folder: '/cache', programs: [], system: true };

describe('the announcement of a first run', () => {
  test('is empty when the cache is complete', () => expect(firstRunLines(cache)).toEqual([]));

  test('names the programs to compile, with time and disk space', () => {
    const text = firstRunLines({ ...cache, programs: ['etcd', 'kubelet'] }).join('\n');
    expect(text).toContain('compile Kubernetes (etcd, kubelet): about 7 to 10 minutes');
    expect(text).not.toContain('Debian');
    expect(text).toContain('kept in /cache');
  });

  test('mentions only the Debian packages when the programs are compiled already', () => {
    const text = firstRunLines({ ...cache, system: false }).join('\n');
    expect(text).toContain('Debian');
    expect(text).not.toContain('compile');
  });
});
