/** The scripts of the builder Pod, run by a real shell. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from '@jest/globals';
import { isBuilderStep } from '../../../api/os-artifact-pod-rules.js';
import { word } from '../../../controller/artifact/build/scripts/shell.js';
import { DOCUMENTED, IMAGE, NESTED_ALL } from './samples.js';
import { podSpecOf, scriptOf, ScriptRunner, scriptsOf } from './script-runner.js';

const runner = new ScriptRunner();
const { root } = runner;
const run = runner.run.bind(runner);
const at = runner.at.bind(runner);
const text = runner.text.bind(runner);
const fresh = runner.fresh.bind(runner);
const work = runner.work.bind(runner);
afterAll(() => runner.remove());

describe('every script', () => {
  test.each(Object.entries({ ...DOCUMENTED, nested: NESTED_ALL }))(
    'has valid shell syntax, in the example %s',
    (_, spec) => {
      const invalid = scriptsOf(spec).filter(({ script }) => spawnSync('bash', ['-n', '-c', script]).status !== 0);
      expect(invalid).toEqual([]);
    },
  );

  test.each(["it's", '$(id)', '`id`', 'a b', '"', '\\', ';x', '', '*', "'; rm -rf /; '", 'a\nb', '-x'])(
    'quotes %j as one word',
    value => {
      const out = execFileSync('bash', ['-c', `printf %s ${word(value)}`], { encoding: 'utf8' });
      expect(out).toBe(value);
    },
  );
});

test('the webhook reserves the names of all steps', () => {
  const specs = [...Object.values(DOCUMENTED), NESTED_ALL, { imageName: IMAGE, iso: true }];
  const names = specs.flatMap(scriptsOf).map(({ name }) => name);
  expect(names.filter(name => !isBuilderStep(name))).toEqual([]);
});

describe('the step runner', () => {
  const [container] = podSpecOf(NESTED_ALL).containers;
  const wrapped = (script: string, bytes = '40', ...files: string[]) => {
    fresh('dev', 'tmp', 'artifacts');
    const relocate = (command: string) =>
      command.replaceAll(/\/(dev\/termination-log|tmp\/\.(said|made|files|last|private)|artifacts)/g, `${root}/$1`);
    const [shell = '', ...flags] = container?.command ?? [];
    const { status, stdout } = spawnSync(shell, [...flags.map(relocate), relocate(script), bytes, ...files], {
      encoding: 'utf8',
    });
    const last = existsSync(at('dev', 'termination-log')) ? text('dev', 'termination-log') : '';
    return { status, stdout, last };
  };

  test('reports the end of the output and the exit code of a failed step', () => {
    const { status, last, stdout } = wrapped('seq 1 9999; echo no room left >&2; exit 7');
    expect({ status, length: last.length }).toEqual({ status: 7, length: 40 });
    expect(last).toMatch(/no room left\n\+ exit 7\n$/);
    expect(stdout).toContain('5000\n');
  });

  test('keeps the termination message that a failed step wrote', () =>
    expect(wrapped('echo the reason > /dev/termination-log; exit 1')).toMatchObject({
      status: 1,
      last: 'the reason\n',
    }));

  test('writes nothing after a success without files, and keeps the message of the step', () => {
    expect(wrapped('echo fine')).toMatchObject({ status: 0, last: '' });
    expect(wrapped('echo list > /dev/termination-log')).toMatchObject({ status: 0, last: 'list\n' });
  });

  test('passes the signal that ends the Pod to the step, which cleans up', () => {
    const step = 'trap "echo cleaned; exit 9" EXIT; (sleep 0.2; kill -TERM "$RUNNER") & sleep 30';
    const started = Date.now();
    const { status, stdout } = wrapped(`RUNNER=$(ps -o ppid= $(ps -o ppid= $$)); ${step}`);
    expect({ status, isCleaned: stdout.includes('\ncleaned\n') }).toEqual({ status: 143, isCleaned: true });
    expect(Date.now() - started).toBeLessThan(20_000);
  });

  test('reports checksum, size and name of each file after a success', () => {
    const script = 'echo -n abc > /artifacts/os.iso; echo more > /artifacts/os-uki.efi; echo x > /artifacts/foreign';
    const sum = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    const { status, last } = wrapped(script, '40', 'os.iso', 'os-uki*');
    expect(status).toBe(0);
    expect(last).toMatch(new RegExp(`^${sum} 3 os.iso\n[0-9a-f]{64} 5 os-uki.efi\n$`));
  });

  test('fails a step that did not create its files', () => {
    const { status, last } = wrapped('touch /artifacts/os.iso', '40', 'os.iso', 'os.raw');
    expect({ status, last }).toEqual({ status: 1, last: 'it ended well, but there is no os.raw\n' });
  });

  test('limits each message to its share of what the kubelet keeps', () => {
    const { initContainers, containers } = podSpecOf(NESTED_ALL);
    const count = initContainers.length + containers.length;
    expect(Number(container?.args[1]) * count).toBeLessThanOrEqual(12 * 1024);
  });
});

describe('the script of a step', () => {
  const RELEASE = { imageName: IMAGE, iso: true, osRelease: '7' };

  test.each([
    ['behind a link', '../usr/lib/os-release'],
    ['behind a link from the root', '/usr/lib/os-release'],
  ])('changes one line of a release file to set a version, %s', (_, target) => {
    fresh('rootfs/etc', 'rootfs/usr/lib', 'config');
    writeFileSync(at('rootfs/usr/lib/os-release'), 'ID=x\nVERSION=1\nVERSION_ID=2');
    symlinkSync(target, at('rootfs/etc/os-release'));
    writeFileSync(at('config/os-release'), 'VERSION="7"\n');
    expect(run(scriptOf(RELEASE, 'os-release'))).toMatchObject({ status: 0 });
    expect(text('rootfs/usr/lib/os-release')).toBe('ID=x\nVERSION_ID=2\nVERSION="7"\n');
  });

  test('creates a missing release file to set a version', () => {
    fresh('rootfs', 'config');
    writeFileSync(at('config/os-release'), 'VERSION="7"\n');
    expect(run(scriptOf(RELEASE, 'os-release'))).toMatchObject({ status: 0 });
    expect(text('rootfs/etc/os-release')).toBe('VERSION="7"\n');
  });

  test('replaces a release file that is a link, and keeps the target of the link', () => {
    fresh('rootfs/etc', 'rootfs/usr/lib', 'config');
    writeFileSync(at('rootfs/usr/lib/os-release'), 'ID=x\n');
    symlinkSync('../usr/lib/os-release', at('rootfs/etc/os-release'));
    writeFileSync(at('config/os-release'), 'ID=mine\nVERSION=7\n');
    expect(run(scriptOf({ ...RELEASE, osRelease: 'ID=mine\nVERSION=7\n' }, 'os-release'))).toMatchObject({ status: 0 });
    expect([text('rootfs/etc/os-release'), text('rootfs/usr/lib/os-release')]).toEqual([
      'ID=mine\nVERSION=7\n',
      'ID=x\n',
    ]);
  });

  test('clears the volume of all files of an earlier build, including hidden ones', () => {
    fresh('artifacts/EFI/BOOT', 'artifacts/.build-x', 'artifacts/lost+found');
    writeFileSync(at('artifacts/old.iso'), 'old');
    expect(run(scriptOf(RELEASE, 'clear-artifacts'))).toMatchObject({ status: 0 });
    expect(readdirSync(at('artifacts'))).toEqual(['lost+found']);
  });

  test('does not clear a user volume', () =>
    expect(scriptsOf(NESTED_ALL).map(({ name }) => name)).not.toContain('clear-artifacts'));

  const UKI = {
    'build-uki-iso': ['echo medium > "$out/signed-uki.iso"; cat "$overlay/cloud_config.yaml"', 'signed-uki.iso'],
    'build-uki-container': ['echo image > "$out/kairos-ubuntu-24.04-uki.tar"', 'signed-uki.tar'],
    'build-uki-uki': [
      'mkdir -p "$out"/EFI/{BOOT,kairos} "$out/loader"; touch "$out/EFI/kairos/norole.efi"',
      'EFI/kairos/norole.efi',
    ],
  };
  const AURORABOOT = `while [ $# -gt 0 ]; do
case $1 in --output-dir) out=$2 ;; --overlay-iso) overlay=$2 ;; --cloud-config) echo 'flag provided but not defined: -cloud-config'; exit 1 ;; esac
shift
done
`;

  test.each(Object.entries(UKI))(
    'moves the result of %s to /artifacts, whatever auroraboot names it',
    (step, [commands = '', file = '']) => {
      fresh('artifacts', 'scratch', 'rootfs', 'overlay-iso', 'tmp');
      writeFileSync(at('cloud-config.yaml'), '#cloud-config\n');
      const { status, stdout } = run(scriptOf(NESTED_ALL, step), { auroraboot: AURORABOOT + commands });
      expect(status).toBe(0);
      expect(existsSync(at('artifacts', file))).toBe(true);
      expect(readdirSync(at('artifacts')).filter(name => name.startsWith('.'))).toEqual([]);
      expect(stdout.includes('#cloud-config')).toBe(step === 'build-uki-iso');
    },
  );

  test('reports an unpacked image that is not a Kairos image', () => {
    fresh('artifacts', 'scratch', 'rootfs', 'dev');
    expect(
      run(scriptOf(DOCUMENTED['iso-and-exporter'] ?? {}, 'pull-image-baseimage'), { auroraboot: 'exit 0' }).status,
    ).toBe(1);
    expect(text('dev', 'termination-log')).toMatch(/not a Kairos image.*baseImageName/);
  });

  test('merges user files and boot loader configuration for an ISO image', () => {
    fresh('overlay-iso/docs', 'overlay-rootfs', 'rootfs', 'artifacts', 'scratch', 'tmp');
    rmSync(at('seen'), { recursive: true, force: true });
    writeFileSync(at('overlay-iso/docs/a'), 'user');
    writeFileSync(at('grub.cfg'), 'set x=1');
    const tool = `touch ${work('build-iso')}/{medium.iso,config.yaml}; cp -r ${work('build-iso')} ${at('seen')}`;
    expect(run(scriptOf(NESTED_ALL, 'build-iso'), { auroraboot: tool })).toMatchObject({ status: 0 });
    expect(readdirSync(at('artifacts'))).toEqual(['medium.iso', 'medium.iso.sha256']);
    expect([text('seen/overlay-iso/docs/a'), text('seen/overlay-iso/boot/grub2/grub.cfg')]).toEqual([
      'user',
      'set x=1',
    ]);
  });

  test.each(['build-cloud-image', 'build-azure-cloud-image', 'build-gce-cloud-image'])(
    'moves the file of %s, and fails without one',
    step => {
      fresh('artifacts', 'scratch', 'rootfs', 'dev');
      const [ending = '', name = ''] = {
        'build-cloud-image': ['x.raw', 'raw-disk.raw'],
        'build-azure-cloud-image': ['x.vhd', 'azure-disk.vhd'],
      }[step] ?? ['x.raw.gce.tar.gz', 'gce-disk.gce.tar.gz'];
      expect(run(scriptOf(NESTED_ALL, step), { auroraboot: 'exit 0' }).status).not.toBe(0);
      expect(run(scriptOf(NESTED_ALL, step), { auroraboot: `echo disk > ${work(step)}/${ending}` }).status).toBe(0);
      expect(text('artifacts', name)).toBe('disk\n');
    },
  );
});
