/** How the cluster tests find and run commands of the machine. */
import { describe, expect, test } from '@jest/globals';
import { hasCommand } from './cluster/packages.js';
import { run, searchPath } from './cluster/run-command.js';

describe('the search path for commands', () => {
  test('starts with the folders of PATH, then adds the system folders including sbin, without duplicates', () => {
    const folders = searchPath({ PATH: '/own:/usr/bin' }).split(':');
    expect(folders.slice(0, 2)).toEqual(['/own', '/usr/bin']);
    expect(folders).toEqual(expect.arrayContaining(['/usr/sbin', '/sbin', '/usr/local/sbin']));
    expect(new Set(folders).size).toBe(folders.length);
  });

  test('is the same for hasCommand and run, whatever the PATH is', async () => {
    expect(hasCommand('sh')).toBe(true);
    const { code, stdout } = await run('sh', ['-c', 'echo "$PATH"'], { env: { PATH: '/nowhere' } });
    expect({ code, path: stdout.trim() }).toEqual({ code: 0, path: searchPath({ PATH: '/nowhere' }) });
  });

  test('consists of the system folders when PATH is not set', () =>
    expect(searchPath({})).toMatch(/^\/usr\/local\/sbin:/));
});
