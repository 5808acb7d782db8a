import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { shellQuote, upgradeCommand, upgradeScript, type UpgradeOptions } from '../../../controller/upgrade/script.js';

const options = (more: Partial<UpgradeOptions> = {}): UpgradeOptions => ({
  active: true,
  recovery: false,
  debug: false,
  excludePaths: [],
  ...more,
});
const lines = (more: Partial<UpgradeOptions>) => upgradeScript(options(more)).trim().split('\n');
const ALWAYS = "--source dir:/ --exclude-path '/etc/hostname' --exclude-path '/etc/hosts'";

describe('the upgrade command', () => {
  test.each([
    ['upgrades the active system alone by default', {}, [`kairos-agent upgrade ${ALWAYS}`]],
    [
      'upgrades the recovery system alone if only that is requested',
      { active: false, recovery: true },
      [`kairos-agent upgrade --recovery ${ALWAYS}`],
    ],
    [
      'upgrades recovery before active if both are requested',
      { recovery: true },
      [`kairos-agent upgrade --recovery ${ALWAYS}`, `kairos-agent upgrade ${ALWAYS}`],
    ],
    ['passes --debug', { debug: true }, [`kairos-agent --debug upgrade ${ALWAYS}`]],
    [
      "excludes the user's paths after the fixed ones, quoted for the shell",
      { excludePaths: ['/etc/a b', "/it's"] },
      [`kairos-agent upgrade ${ALWAYS} --exclude-path '/etc/a b' --exclude-path '/it'\\''s'`],
    ],
  ])('%s', (_sentence, more, commands) => {
    expect(lines(more)).toEqual([
      'set -e',
      'mount --rbind "$HOST_DIR/dev" /dev',
      'mount --rbind "$HOST_DIR/run" /run',
      ...commands,
    ]);
  });

  test('passes the script to the shell as one argument', () => {
    expect(upgradeCommand(options())).toEqual(['sh', '-c', upgradeScript(options())]);
  });

  test('stops at the first command that fails', () => {
    const folder = mkdtempSync(join(tmpdir(), 'upgrade-'));
    writeFileSync(join(folder, 'mount'), '#!/bin/sh\n', { mode: 0o755 });
    writeFileSync(join(folder, 'kairos-agent'), '#!/bin/sh\necho "$1 $2"\nexit 3\n', { mode: 0o755 });
    const [command = '', ...args] = upgradeCommand(options({ recovery: true }));
    const ran = spawnSync(command, args, { encoding: 'utf8', env: { PATH: `${folder}:${process.env.PATH}` } });
    rmSync(folder, { recursive: true });
    expect([ran.status, ran.stdout]).toEqual([3, 'upgrade --recovery\n']);
  });
});

describe('shellQuote', () => {
  test.each(['plain', 'two words', "it's", '"double"', '$(reboot)', '`reboot`', 'a\nb', '\\', "''", '* ?', ''])(
    'makes a shell see %j as one unchanged word',
    word => {
      const output = execFileSync('sh', ['-c', `printf '<%s>' ${shellQuote(word)}`], { encoding: 'utf8' });
      expect(output).toBe(`<${word}>`);
    },
  );
});
