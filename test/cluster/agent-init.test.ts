/** Asking a machine to reboot, with real init processes: systemd, and one that supports only the reboot command of the host. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { build } from 'esbuild';
import { removeCgroups } from './cgroups.js';
import { ensurePackages } from './packages.js';
import { repository } from './paths.js';
import { run } from './run-command.js';
import { waitFor } from './wait.js';

jest.setTimeout(300_000);

const CGROUP = 'kairos-agent-init';
const GROUP_FOLDER = `/sys/fs/cgroup/systemd/${CGROUP}`;
/** In a PID namespace, a reboot ends the init process with this signal (reboot(2)). */
const REBOOTED = [null, 'SIGHUP'];

let share: string;
let machine: ChildProcess | undefined;

beforeEach(async () => {
  await ensurePackages(['systemd', 'unshare', 'nsenter'], () => undefined);
  share = mkdtempSync(join(tmpdir(), 'agent-init-'));
  mkdirSync(GROUP_FOLDER, { recursive: true });
});
afterEach(async () => {
  machine?.kill('SIGKILL');
  machine = undefined;
  await removeCgroups(CGROUP);
  rmSync(share, { recursive: true, force: true });
});

/** Starts the machine; resolves with the process id of its init process, as seen by the test. */
async function start(init: 'systemd' | 'another', commands: Record<string, string>): Promise<number> {
  mkdirSync(join(share, 'commands'));
  for (const [name, script] of Object.entries(commands)) {
    writeFileSync(join(share, 'commands', name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(share, 'commands', name), 0o755);
  }
  const enter = 'echo $$ >"$1/cgroup.procs"; exec unshare -m -u -i -n -p -C --fork --kill-child sh "$2" "$3" "$4"';
  const script = join(repository, 'test/cluster/agent-init.sh');
  const child = spawn('sh', ['-c', enter, 'sh', GROUP_FOLDER, script, init, share], { stdio: 'ignore' });
  machine = child;
  const pid = String(child.pid);
  await waitFor(() => existsSync(join(share, 'up')), { what: `${init} to be up`, seconds: 30, everyMs: 50 });
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
}

/** Reboots with the code of the agent, run like its container: in the PID namespace of the host. */
async function agentReboots(init: number, commandTimeoutMs = 30_000): Promise<{ code: number; output: string }> {
  const file = join(share, 'agent.cjs');
  await build({
    stdin: {
      resolveDir: repository,
      contents: `
        import { realHost } from './agent/host.js';
        import { reboot } from './agent/reboot.js';
        /* The shutdown ends all processes, this one perhaps before it has printed the method. */
        for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);
        const host = realHost('/', { now: () => new Date() }, { commandTimeoutMs: ${commandTimeoutMs} });
        reboot(host).then(({ method }) => console.log(method), error => { console.log(error.message); process.exitCode = 1; });`,
    },
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'error',
  });
  const { code, stdout, stderr } = await run('nsenter', [
    '-t',
    String(init),
    '-p',
    '-m',
    '--',
    process.execPath,
    '/run/initramfs/agent.cjs',
  ]);
  return { code, output: `${stdout}${stderr}`.trim() };
}

/** How a machine with systemd reboots, whatever the way. */
async function rebootOf(init: number, commandTimeoutMs: number) {
  const ended = once(machine as ChildProcess, 'exit');
  /* systemd may still kill it after it has printed the method. */
  const [method] = (await agentReboots(init, commandTimeoutMs)).output.split('\n');
  return { method, ended: await ended, hasReachedTarget: existsSync(join(share, 'reboot-target')) };
}

test('systemctl of the host is called first, systemd reaches reboot.target, and the machine reboots', async () => {
  const script = 'touch /run/initramfs/called; exec /usr/bin/systemctl "$@"';
  const init = await start('systemd', { systemctl: script });
  expect(await rebootOf(init, 30_000)).toEqual({ method: 'systemctl', ended: REBOOTED, hasReachedTarget: true });
  expect(existsSync(join(share, 'called'))).toBe(true);
});

test.each([
  ['fails', 'exit 1'],
  ['hangs and ignores signals', 'trap "" TERM INT; sleep 5'],
])('systemd gets a signal when systemctl %s, and the machine reboots', async (_sentence, script) => {
  const init = await start('systemd', { systemctl: script });
  expect(await rebootOf(init, 1_000)).toEqual({ method: 'signal', ended: REBOOTED, hasReachedTarget: true });
});

test('the reboot command of the host runs in the namespaces of another init process', async () => {
  const script = 'readlink /proc/self/ns/net /proc/self/ns/uts >/run/initramfs/called';
  const init = await start('another', { reboot: script });
  expect(await agentReboots(init)).toEqual({ code: 0, output: 'command' });
  const own = await Promise.all(['net', 'uts'].map(name => run('readlink', [`/proc/${init}/ns/${name}`])));
  expect(readFileSync(join(share, 'called'), 'utf8')).toBe(own.map(({ stdout }) => stdout).join(''));
});

test('the error of a reboot command that fails is its own output', async () => {
  const init = await start('another', { reboot: 'echo "no such power" >&2; exit 3' });
  expect(await agentReboots(init)).toEqual({ code: 1, output: 'reboot: no such power' });
});

test('a reboot command that hangs and ignores signals is killed after its timeout', async () => {
  const init = await start('another', { reboot: 'trap "" TERM INT; touch /run/initramfs/called; sleep 60' });
  expect(await agentReboots(init, 1_000)).toEqual({ code: 0, output: 'command' });
  expect(existsSync(join(share, 'called'))).toBe(true);
});
