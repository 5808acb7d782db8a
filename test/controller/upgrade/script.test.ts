import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { shellQuote, upgradeCommand, upgradeScript, type UpgradeOptions } from '../../../controller/upgrade/script.js';

const nodeOp = (more: Partial<UpgradeOptions> = {}): UpgradeOptions => ({
  active: true,
  recovery: false,
  debug: false,
  excludePaths: [],
  ...more,
});
const lines = (more: Partial<UpgradeOptions>) => upgradeScript(nodeOp(more)).trim().split('\n');
const ALWAYS = "--source dir:/ --exclude-path '/etc/hostname' --exclude-path '/etc/hosts'";

describe('the upgrade command', () => {
  test.each([
    ['the active system alone', {}, [`kairos-agent upgrade ${ALWAYS}`]],
    ['the recovery system alone', { active: false, recovery: true }, [`kairos-agent upgrade --recovery ${ALWAYS}`]],
    [
      'recovery before active when both',
      { recovery: true },
      [`kairos-agent upgrade --recovery ${ALWAYS}`, `kairos-agent upgrade ${ALWAYS}`],
    ],
    ['in detail', { debug: true }, [`kairos-agent --debug upgrade ${ALWAYS}`]],
    [
      "the user's paths after ours",
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

  test('goes to a shell as one argument', () => {
    expect(upgradeCommand(nodeOp())).toEqual(['sh', '-c', upgradeScript(nodeOp())]);
  });

  test('stops at the first command that fails', () => {
    const folder = mkdtempSync(join(tmpdir(), 'upgrade-'));
    writeFileSync(join(folder, 'mount'), '#!/bin/sh\n', { mode: 0o755 });
    writeFileSync(join(folder, 'kairos-agent'), '#!/bin/sh\necho "$1 $2"\nexit 3\n', { mode: 0o755 });
    const [command = '', ...args] = upgradeCommand(nodeOp({ recovery: true }));
    const ran = spawnSync(command, args, { encoding: 'utf8', env: { PATH: `${folder}:${process.env.PATH}` } });
    rmSync(folder, { recursive: true });
    expect([ran.status, ran.stdout]).toEqual([3, 'upgrade --recovery\n']);
  });
});

describe('quoting', () => {
  test.each(['plain', 'two words', "it's", '"double"', '$(reboot)', '`reboot`', 'a\nb', '\\', "''", '* ?', ''])(
    'a shell sees %j as one word, unchanged',
    word => {
      const said = execFileSync('sh', ['-c', `printf '<%s>' ${shellQuote(word)}`], { encoding: 'utf8' });
      expect(said).toBe(`<${word}>`);
    },
  );
});
