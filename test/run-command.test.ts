/** The harness's way to start a command, as far as no Kubernetes is needed for it. */
import { describe, expect, test } from '@jest/globals';
import { hasCommand } from './cluster/packages.js';
import { run, searchPath } from './cluster/run-command.js';

describe('a command of the machine', () => {
  test('is looked for in the own folders first, then in those of the system, sbin among them, each once', () => {
    const folders = searchPath({ PATH: '/own:/usr/bin' }).split(':');
    expect(folders.slice(0, 2)).toEqual(['/own', '/usr/bin']);
    expect(folders).toEqual(expect.arrayContaining(['/usr/sbin', '/sbin', '/usr/local/sbin']));
    expect(new Set(folders).size).toBe(folders.length);
  });

  test('that is said to be there is also found when it is run, with whatever PATH', async () => {
    expect(hasCommand('sh')).toBe(true);
    const { code, stdout } = await run('sh', ['-c', 'echo "$PATH"'], { env: { PATH: '/nowhere' } });
    expect({ code, path: stdout.trim() }).toEqual({ code: 0, path: searchPath({ PATH: '/nowhere' }) });
  });

  test('without any PATH there are the folders of the system', () =>
    expect(searchPath({})).toMatch(/^\/usr\/local\/sbin:/));
});
