/** Runs the scripts of the Kairos bundle on a folder that stands for the root of a system. */
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { repository } from '../cluster/paths.js';

const K3S = '/var/lib/rancher/k3s/server/manifests/kairos-operator.yaml';
const K0S = '/var/lib/k0s/manifests/kairos-operator/kairos-operator.yaml';

const temporaryFolders: string[] = [];
afterAll(() => {
  for (const folder of temporaryFolders) rmSync(folder, { recursive: true, force: true });
});

/** The unpacked bundle and the root of the system. */
let bundle: string;
let root: string;
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'operator bundle-'));
  temporaryFolders.push(folder);
  [bundle, root] = [join(folder, 'bundle'), join(folder, 'root')];
  for (const path of [bundle, root]) mkdirSync(path);
  for (const name of ['run.sh', 'remove.sh'])
    copyFileSync(join(repository, 'manifests/bundle', name), join(bundle, name));
  copyFileSync(join(repository, 'manifests/install.yaml'), join(bundle, 'kairos-operator.yaml'));
});

/** Runs a script as Kairos does: by its name, in its folder. */
function run(script: string, env: Record<string, string> = {}) {
  const { PATH = '' } = process.env;
  const { status, stdout, stderr } = spawnSync('sh', [script], {
    cwd: bundle,
    env: { PATH, OPERATOR_ROOT: root, ...env },
    encoding: 'utf8',
  });
  return { status, output: stdout + stderr };
}

function installProgram(program: string, folder = '/usr/bin'): void {
  write(join(folder, program), '#!/bin/sh\n');
  chmodSync(join(root, folder, program), 0o755);
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

const isIn = (path: string) => existsSync(join(root, path));
const textIn = (path: string) => readFileSync(join(root, path), 'utf8');
const manifest = () => readFileSync(join(bundle, 'kairos-operator.yaml'), 'utf8');

describe('run.sh', () => {
  test.each([
    ['k3s', K3S, K0S],
    ['k0s', K0S, K3S],
  ])('installs the manifest for %s before it has ever run', (program, target, otherTarget) => {
    installProgram(program);
    expect(run('run.sh')).toMatchObject({ status: 0 });
    expect(textIn(target)).toBe(manifest());
    expect(isIn(otherTarget)).toBe(false);
  });

  test('finds a program in /usr/local/bin', () => {
    installProgram('k3s', '/usr/local/bin');
    expect(run('run.sh').status).toBe(0);
    expect(isIn(K3S)).toBe(true);
  });

  test('installs the manifest for both distributions when both are installed', () => {
    installProgram('k3s');
    installProgram('k0s');
    expect(run('run.sh').status).toBe(0);
    expect([textIn(K3S), textIn(K0S)]).toEqual([manifest(), manifest()]);
  });

  test('installs the manifest only for the distribution in OPERATOR_DISTRO when both are installed', () => {
    installProgram('k3s');
    installProgram('k0s');
    expect(run('run.sh', { OPERATOR_DISTRO: 'k0s' }).status).toBe(0);
    expect([isIn(K3S), isIn(K0S)]).toEqual([false, true]);
  });

  test('fails with a message and writes nothing when neither distribution is installed', () => {
    const { status, output } = run('run.sh');
    expect({ status, output }).toEqual({
      status: 1,
      output: 'kairos-operator: found neither k3s nor k0s on this node; nothing was done\n',
    });
    expect(readdirSync(root)).toEqual([]);
  });

  test('rejects an unknown distribution in OPERATOR_DISTRO before it writes anything', () => {
    const { status, output } = run('run.sh', { OPERATOR_DISTRO: 'k3s rke2' });
    expect(status).toBe(1);
    expect(output).toContain('must be k3s or k0s');
    expect(readdirSync(root)).toEqual([]);
  });

  test('leaves an up-to-date manifest unchanged', () => {
    installProgram('k3s');
    run('run.sh');
    const before = statSync(join(root, K3S)).mtimeMs;
    const { status, output } = run('run.sh');
    expect(status).toBe(0);
    expect(output).toContain('up to date');
    expect(statSync(join(root, K3S)).mtimeMs).toBe(before);
  });

  test('replaces the manifest of an earlier version and leaves no draft', () => {
    installProgram('k3s');
    installProgram('k0s');
    for (const path of [K3S, K0S]) write(path, 'kind: Old\n');
    expect(run('run.sh').status).toBe(0);
    for (const path of [K3S, K0S]) {
      expect(textIn(path)).toBe(manifest());
      expect(readdirSync(dirname(join(root, path)))).toEqual(['kairos-operator.yaml']);
    }
  });

  test('fails when the folder cannot be created', () => {
    installProgram('k3s');
    write('/var/lib/rancher', 'a file where a folder should be');
    const { status, output } = run('run.sh');
    expect(status).toBe(1);
    expect(output).toContain('cannot create');
  });

  test('keeps the existing manifest when the new one cannot be written', () => {
    installProgram('k3s');
    const cp = join(bundle, 'bin/cp');
    mkdirSync(dirname(cp));
    writeFileSync(cp, '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    write(K3S, 'kind: Old\n');
    const path = `${dirname(cp)}:${process.env['PATH'] ?? ''}`;
    expect(run('run.sh', { PATH: path }).output).toContain('cannot write');
    expect(textIn(K3S)).toBe('kind: Old\n');
  });

  test.each([
    ['k3s', 'k3s-agent', 'k3s'],
    ['k0s', 'k0sworker', 'k0scontroller'],
  ])(
    'writes nothing on a worker of %s, but installs on a control plane that was a worker before',
    (program, agent, server) => {
      installProgram(program);
      write(`/etc/systemd/system/multi-user.target.wants/${agent}.service`, '');
      expect(run('run.sh')).toEqual({
        status: 0,
        output: `kairos-operator: this node is not a control plane (${program}); nothing was done\n`,
      });
      expect(isIn('/var/lib')).toBe(false);
      write(`/etc/systemd/system/multi-user.target.wants/${server}.service`, '');
      expect(run('run.sh').output).toContain('wrote');
    },
  );

  test('creates the k3s server folder with mode 0700 and keeps the mode of an existing one', () => {
    installProgram('k3s');
    run('run.sh');
    const server = join(root, '/var/lib/rancher/k3s/server');
    expect(statSync(server).mode & 0o777).toBe(0o700);
    chmodSync(server, 0o750);
    rmSync(join(root, K3S));
    run('run.sh');
    expect(statSync(server).mode & 0o777).toBe(0o750);
  });

  test('fails when the bundle contains no manifest', () => {
    installProgram('k3s');
    rmSync(join(bundle, 'kairos-operator.yaml'));
    expect(run('run.sh')).toMatchObject({ status: 1 });
    expect(isIn(K3S)).toBe(false);
  });
});

describe('remove.sh', () => {
  /** A fake kubectl that records its arguments and fails when they contain `fails`. Every CRD exists. */
  function kubectl(fails = 'nothing'): Record<string, string> {
    const file = join(bundle, 'kubectl');
    const lines = [
      '#!/bin/sh',
      `echo "$*" >>${JSON.stringify(`${file}.log`)}`,
      `case "$*" in *${fails}*) exit 1 ;; esac`,
    ];
    writeFileSync(file, [...lines, 'case $1 in get) echo there ;; esac', ''].join('\n'));
    chmodSync(file, 0o755);
    return { KUBECTL: './kubectl' };
  }
  const calls = () => readFileSync(join(bundle, 'kubectl.log'), 'utf8').trim().split('\n');
  const deleted = () => calls().filter(line => line.startsWith('delete'));

  test('deletes on k3s the custom resources, then the manifest, then the objects', () => {
    write(K3S, manifest());
    expect(run('remove.sh', kubectl()).status).toBe(0);
    expect(deleted().map(line => line.split(' ')[1])).toEqual([
      'nodeopupgrades.operator.kairos.io',
      'nodeops.operator.kairos.io',
      'osartifacts.build.kairos.io',
      '-f',
      'addons.k3s.cattle.io',
    ]);
    expect(readdirSync(dirname(join(root, K3S)))).toEqual([]);
  });

  test('deletes on k0s the custom resources and the folder, and leaves the objects to k0s', () => {
    write(K0S, manifest());
    expect(run('remove.sh', kubectl()).status).toBe(0);
    expect(deleted()).toHaveLength(3);
    expect(isIn(dirname(K0S))).toBe(false);
    expect(isIn('/var/lib/k0s/manifests')).toBe(true);
  });

  test('removes nothing else when custom resources are not deleted in time', () => {
    write(K3S, manifest());
    const { status, output } = run('remove.sh', kubectl('nodeops.operator.kairos.io\\ --all'));
    expect(status).toBe(1);
    expect(output).toContain('nothing else was removed');
    expect(isIn(K3S)).toBe(true);
  });

  test('removes nothing when the cluster does not respond', () => {
    write(K3S, manifest());
    const { status, output } = run('remove.sh', kubectl('get'));
    expect(status).toBe(1);
    expect(output).toContain('does not respond');
    expect(isIn(K3S)).toBe(true);
  });

  test('prints how to continue when the objects cannot be deleted', () => {
    write(K3S, manifest());
    const { status, output } = run('remove.sh', kubectl('delete\\ -f'));
    expect(status).toBe(1);
    expect(output).toContain('kubectl delete -f');
    expect(isIn(K3S)).toBe(false); // k3s must not apply it again
    expect(isIn(`${K3S}.removed`)).toBe(true);
  });

  test('continues where an earlier run could not delete the objects', () => {
    write(K3S, manifest());
    run('remove.sh', kubectl('delete\\ -f'));
    expect(run('remove.sh', kubectl()).status).toBe(0);
    expect(readdirSync(dirname(join(root, K3S)))).toEqual([]);
  });

  test('succeeds with manifests for both distributions when the cluster of one responds', () => {
    for (const path of [K3S, K0S]) write(path, manifest());
    for (const [program, status] of [
      ['k3s', 1],
      ['k0s', 0],
    ] as const)
      writeFileSync(join(bundle, program), `#!/bin/sh\nexit ${status}\n`, { mode: 0o755 });
    const { status, output } = run('remove.sh', { PATH: `${bundle}:${process.env['PATH'] ?? ''}` });
    expect({ status, k3s: isIn(K3S), k0s: isIn(dirname(K0S)) }).toEqual({ status: 0, k3s: true, k0s: false });
    expect(output).toContain('nothing was removed from k3s');
  });

  test('fails with manifests for both distributions when custom resources are not deleted in time', () => {
    for (const path of [K3S, K0S]) write(path, manifest());
    expect(run('remove.sh', kubectl('nodeops.operator.kairos.io\\ --all')).status).toBe(1);
    expect([isIn(K3S), isIn(K0S)]).toEqual([true, true]);
  });

  test('does not call kubectl on a node without the manifest', () => {
    expect(run('remove.sh', kubectl())).toEqual({
      status: 0,
      output: 'kairos-operator: the manifest is not on this node\n',
    });
    expect(existsSync(join(bundle, 'kubectl.log'))).toBe(false);
  });
});

test('the bundle image contains only the two scripts and the manifest', () => {
  const lines = readFileSync(join(repository, 'manifests/bundle/Dockerfile'), 'utf8').split('\n');
  expect(lines.filter(line => /^(FROM|COPY|ADD|RUN)/.test(line))).toEqual([
    'FROM scratch',
    'COPY --chmod=0755 bundle/run.sh bundle/remove.sh /',
    'COPY --chmod=0644 install.yaml /kairos-operator.yaml',
  ]);
});
