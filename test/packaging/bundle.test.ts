/** The scripts of the Kairos bundle, on systems that are only folders. */
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
import { repository } from '../cluster/places.js';

const K3S = '/var/lib/rancher/k3s/server/manifests/kairos-operator.yaml';
const K0S = '/var/lib/k0s/manifests/kairos-operator/kairos-operator.yaml';

const places: string[] = [];
afterAll(() => {
  for (const place of places) rmSync(place, { recursive: true, force: true });
});

/** What Kairos unpacks, and the system beside it. */
let bundle: string;
let root: string;
beforeEach(() => {
  const place = mkdtempSync(join(tmpdir(), 'operator bundle-'));
  places.push(place);
  [bundle, root] = [join(place, 'bundle'), join(place, 'root')];
  for (const folder of [bundle, root]) mkdirSync(folder);
  for (const name of ['run.sh', 'remove.sh'])
    copyFileSync(join(repository, 'manifests/bundle', name), join(bundle, name));
  copyFileSync(join(repository, 'manifests/install.yaml'), join(bundle, 'kairos-operator.yaml'));
});

/** As Kairos does it: the script by its name, in its folder. */
function run(script: string, env: Record<string, string> = {}) {
  const { PATH = '' } = process.env;
  const { status, stdout, stderr } = spawnSync('sh', [script], {
    cwd: bundle,
    env: { PATH, OPERATOR_ROOT: root, ...env },
    encoding: 'utf8',
  });
  return { status, said: stdout + stderr };
}

function has(program: string, folder = '/usr/bin'): void {
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
  ])('on a node with %s puts the manifest where that looks, before it has ever run', (program, there, elsewhere) => {
    has(program);
    expect(run('run.sh')).toMatchObject({ status: 0 });
    expect(textIn(there)).toBe(manifest());
    expect(isIn(elsewhere)).toBe(false);
  });

  test('finds a program in /usr/local/bin, too', () => {
    has('k3s', '/usr/local/bin');
    expect(run('run.sh').status).toBe(0);
    expect(isIn(K3S)).toBe(true);
  });

  test('with both installed it writes for both: only the one that runs reads its own', () => {
    has('k3s');
    has('k0s');
    expect(run('run.sh').status).toBe(0);
    expect([textIn(K3S), textIn(K0S)]).toEqual([manifest(), manifest()]);
  });

  test('with both installed it can be told which', () => {
    has('k3s');
    has('k0s');
    expect(run('run.sh', { OPERATOR_DISTRO: 'k0s' }).status).toBe(0);
    expect([isIn(K3S), isIn(K0S)]).toEqual([false, true]);
  });

  test('with neither it fails, says so, and writes nothing', () => {
    const { status, said } = run('run.sh');
    expect({ status, said }).toEqual({
      status: 1,
      said: 'kairos-operator: found neither k3s nor k0s on this node; nothing was done\n',
    });
    expect(readdirSync(root)).toEqual([]);
  });

  test('refuses a distribution that it does not know before it writes for any', () => {
    const { status, said } = run('run.sh', { OPERATOR_DISTRO: 'k3s rke2' });
    expect(status).toBe(1);
    expect(said).toContain('must be k3s or k0s');
    expect(readdirSync(root)).toEqual([]);
  });

  test('run twice it leaves the file alone', () => {
    has('k3s');
    run('run.sh');
    const before = statSync(join(root, K3S)).mtimeMs;
    const { status, said } = run('run.sh');
    expect(status).toBe(0);
    expect(said).toContain('up to date');
    expect(statSync(join(root, K3S)).mtimeMs).toBe(before);
  });

  test('replaces the file of an earlier version, and leaves no draft', () => {
    has('k3s');
    has('k0s');
    for (const path of [K3S, K0S]) write(path, 'kind: Old\n');
    expect(run('run.sh').status).toBe(0);
    for (const path of [K3S, K0S]) {
      expect(textIn(path)).toBe(manifest());
      expect(readdirSync(dirname(join(root, path)))).toEqual(['kairos-operator.yaml']);
    }
  });

  test('fails where the folder cannot be made', () => {
    has('k3s');
    write('/var/lib/rancher', 'a file where a folder should be');
    const { status, said } = run('run.sh');
    expect(status).toBe(1);
    expect(said).toContain('cannot make');
  });

  test('fails where the file cannot be written, and what was there stays', () => {
    has('k3s');
    const cp = join(bundle, 'bin/cp');
    mkdirSync(dirname(cp));
    writeFileSync(cp, '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    write(K3S, 'kind: Old\n');
    const path = `${dirname(cp)}:${process.env['PATH'] ?? ''}`;
    expect(run('run.sh', { PATH: path }).said).toContain('cannot write');
    expect(textIn(K3S)).toBe('kind: Old\n');
  });

  test.each([
    ['k3s', 'k3s-agent', 'k3s'],
    ['k0s', 'k0sworker', 'k0scontroller'],
  ])('on a worker of %s it writes nothing, and on a control plane that was one it does', (program, agent, server) => {
    has(program);
    write(`/etc/systemd/system/multi-user.target.wants/${agent}.service`, '');
    expect(run('run.sh')).toEqual({
      status: 0,
      said: `kairos-operator: this node is no control plane (${program}); nothing was done\n`,
    });
    expect(isIn('/var/lib')).toBe(false);
    write(`/etc/systemd/system/multi-user.target.wants/${server}.service`, '');
    expect(run('run.sh').said).toContain('wrote');
  });

  test('makes the folder of the server as k3s does, and leaves one that is there as it is', () => {
    has('k3s');
    run('run.sh');
    const server = join(root, '/var/lib/rancher/k3s/server');
    expect(statSync(server).mode & 0o777).toBe(0o700);
    chmodSync(server, 0o750);
    rmSync(join(root, K3S));
    run('run.sh');
    expect(statSync(server).mode & 0o777).toBe(0o750);
  });

  test('fails without a manifest in the bundle', () => {
    has('k3s');
    rmSync(join(bundle, 'kairos-operator.yaml'));
    expect(run('run.sh')).toMatchObject({ status: 1 });
    expect(isIn(K3S)).toBe(false);
  });
});

describe('remove.sh', () => {
  /** Writes down what it is asked; has every kind, and does what it is told unless its words are in `fails`. */
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
  const asked = () => readFileSync(join(bundle, 'kubectl.log'), 'utf8').trim().split('\n');
  const deleted = () => asked().filter(line => line.startsWith('delete'));

  test('with k3s deletes the wishes, then the file, then the objects', () => {
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

  test('with k0s deletes the wishes and the folder; the objects go by themselves', () => {
    write(K0S, manifest());
    expect(run('remove.sh', kubectl()).status).toBe(0);
    expect(deleted()).toHaveLength(3);
    expect(isIn(dirname(K0S))).toBe(false);
    expect(isIn('/var/lib/k0s/manifests')).toBe(true);
  });

  test('removes nothing while wishes do not end', () => {
    write(K3S, manifest());
    const { status, said } = run('remove.sh', kubectl('nodeops.operator.kairos.io\\ --all'));
    expect(status).toBe(1);
    expect(said).toContain('nothing else was removed');
    expect(isIn(K3S)).toBe(true);
  });

  test('removes nothing while the cluster does not answer', () => {
    write(K3S, manifest());
    const { status, said } = run('remove.sh', kubectl('get'));
    expect(status).toBe(1);
    expect(said).toContain('does not answer');
    expect(isIn(K3S)).toBe(true);
  });

  test('says how to go on when the objects are not deleted', () => {
    write(K3S, manifest());
    const { status, said } = run('remove.sh', kubectl('delete\\ -f'));
    expect(status).toBe(1);
    expect(said).toContain('kubectl delete -f');
    expect(isIn(K3S)).toBe(false); // k3s must not apply it again
    expect(isIn(`${K3S}.removed`)).toBe(true);
  });

  test('goes on where an earlier run could not delete the objects', () => {
    write(K3S, manifest());
    run('remove.sh', kubectl('delete\\ -f'));
    expect(run('remove.sh', kubectl()).status).toBe(0);
    expect(readdirSync(dirname(join(root, K3S)))).toEqual([]);
  });

  test('with the manifest for both it is enough that the cluster of one answers', () => {
    for (const path of [K3S, K0S]) write(path, manifest());
    for (const [program, status] of [
      ['k3s', 1],
      ['k0s', 0],
    ] as const)
      writeFileSync(join(bundle, program), `#!/bin/sh\nexit ${status}\n`, { mode: 0o755 });
    const { status, said } = run('remove.sh', { PATH: `${bundle}:${process.env['PATH'] ?? ''}` });
    expect({ status, k3s: isIn(K3S), k0s: isIn(dirname(K0S)) }).toEqual({ status: 0, k3s: true, k0s: false });
    expect(said).toContain('nothing was removed from k3s');
  });

  test('with the manifest for both, wishes that do not end are a failure all the same', () => {
    for (const path of [K3S, K0S]) write(path, manifest());
    expect(run('remove.sh', kubectl('nodeops.operator.kairos.io\\ --all')).status).toBe(1);
    expect([isIn(K3S), isIn(K0S)]).toEqual([true, true]);
  });

  test('on a node without the manifest says that, and asks nobody', () => {
    expect(run('remove.sh', kubectl())).toEqual({
      status: 0,
      said: 'kairos-operator: the manifest is not on this node\n',
    });
    expect(existsSync(join(bundle, 'kubectl.log'))).toBe(false);
  });
});

test('the image of the bundle has all that the scripts need, and nothing else', () => {
  const lines = readFileSync(join(repository, 'manifests/bundle/Dockerfile'), 'utf8').split('\n');
  expect(lines.filter(line => /^(FROM|COPY|ADD|RUN)/.test(line))).toEqual([
    'FROM scratch',
    'COPY --chmod=0755 bundle/run.sh bundle/remove.sh /',
    'COPY --chmod=0644 install.yaml /kairos-operator.yaml',
  ]);
});
