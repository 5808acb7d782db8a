/** What the scripts of the builder Pod owe to the habits of the real tools. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { OSArtifactSpec } from '../../../api/os-artifact.js';
import { buildOf } from '../../../controller/artifact/build/build.js';
import { builderPod } from '../../../controller/artifact/build/builder-pod.js';
import { IMAGE, META, NESTED_ALL, TOOLS } from './samples.js';
import { podSpecOf, scriptOf, ScriptRunner, scriptsOf } from './script-runner.js';

const runner = new ScriptRunner();
const { root } = runner;
afterAll(() => runner.remove());
beforeEach(() => runner.fresh('artifacts', 'scratch', 'rootfs/etc', 'dev', 'seen', 'config'));

const READY = { imageName: IMAGE, iso: true };
const modeOf = (path: string) => (statSync(runner.at(path)).mode & 0o777).toString(8);
const KAIROS = 'KAIROS_VERSION="v3.0.0"\nKAIROS_RELEASE="v3.0.0"\nKAIROS_FLAVOR="ubuntu"\n';

describe('an image', () => {
  test.each([
    ['192.168.1.5:5000/os/edge:v1', 'oci:192.168.1.5:5000/os/edge:v1'],
    ['my_registry:5000/os/edge', 'oci:my_registry:5000/os/edge'],
    ['docker:quay.io/kairos/ubuntu:v1', 'oci:quay.io/kairos/ubuntu:v1'],
    ['docker://quay.io/kairos/ubuntu:v1', 'oci:quay.io/kairos/ubuntu:v1'],
    ['oci:quay.io/kairos/ubuntu:v1', 'oci:quay.io/kairos/ubuntu:v1'],
    ['ocifile:/artifacts/brought.tar', 'ocifile:/artifacts/brought.tar'],
  ])('%s is unpacked as %s, as system and as bundle', (ref, source) => {
    const spec = { image: { ref }, artifacts: { iso: true, bundles: [ref] } };
    for (const step of ['pull-image-baseimage', 'pull-image-0'])
      expect(scriptOf(spec, step)).toContain(`auroraboot unpack ${source} /rootfs`);
  });

  test('to convert is named for buildah, which takes oci: for a folder', () => {
    const spec = (baseImage: string) => ({ image: { buildOptions: { version: 'v1', baseImage } } });
    expect(scriptOf(spec('docker:quay.io/a/b:1'), 'buildah-build')).toContain('BASE_IMAGE=quay.io/a/b:1 ');
    expect(scriptOf(spec('oci:/workspace/os'), 'buildah-build')).toContain('BASE_IMAGE=oci:/workspace/os ');
  });

  /** Writes an archive as luet does: the manifest is its last file. */
  const LUET = `echo "$*" > ${root}/seen/luet
cd "$(dirname "$5")" && echo layer > l && printf '[{"Config":"c","RepoTags":["%s"],"Layers":["l"]}]' "$3" > manifest.json && tar -cf "$5" l manifest.json`;

  test.each([
    ['docker:quay.io/kairos/ubuntu:v1', 'quay.io/kairos/ubuntu:v1'],
    [`quay.io/kairos/ubuntu@sha256:${'a'.repeat(64)}`, 'os'],
    ['ocifile:/artifacts/brought.tar', 'os'],
  ])('%s is packed under the name of the object, and its archive has the name %s', (ref, tag) => {
    runner.write('rootfs/etc/kairos-release', KAIROS);
    const script = scriptOf({ image: { ref }, artifacts: { iso: true } }, 'pull-image-baseimage');
    expect(runner.run(script, { auroraboot: 'exit 0', luet: LUET })).toMatchObject({ status: 0 });
    expect(runner.text('seen/luet')).toMatch(/^util pack os \S+layer.tar \S+image.tar\n$/);
    const manifest = spawnSync('tar', ['-xOf', runner.at('artifacts/os.tar'), 'manifest.json'], { encoding: 'utf8' });
    expect(manifest.stdout).toContain(`"RepoTags":["${tag}"]`);
  });

  test.each([
    ['a file', (file: string) => runner.write(file, `ID=ubuntu\n${KAIROS}`)],
    [
      'an absolute link',
      (file: string) => {
        runner.write('rootfs/usr/lib/os-release', `ID=ubuntu\n${KAIROS}`);
        symlinkSync('/usr/lib/os-release', runner.at(file));
      },
    ],
  ])('of Kairos before v3.2, whose variables are in os-release, is accepted: %s', (_title, write) => {
    write('rootfs/etc/os-release');
    const script = scriptOf(READY, 'pull-image-baseimage');
    expect(runner.run(script, { auroraboot: 'exit 0', luet: LUET })).toMatchObject({ status: 0 });
  });
});

describe('kairosRelease', () => {
  const script = scriptOf({ ...READY, kairosRelease: 'v9' }, 'kairos-release');
  const LINES = 'KAIROS_VERSION="v9"\nKAIROS_RELEASE="v9"\n';

  test('sets both variables with the version', () => {
    runner.write('config/kairos-release', LINES);
    runner.write('rootfs/etc/kairos-release', KAIROS);
    expect(runner.run(script)).toMatchObject({ status: 0 });
    expect(runner.text('rootfs/etc/kairos-release')).toBe(`KAIROS_FLAVOR="ubuntu"\n${LINES}`);
  });

  test('sets them in os-release where the system has them there', () => {
    runner.write('config/kairos-release', LINES);
    runner.write('rootfs/etc/os-release', `ID=ubuntu\n${KAIROS}`);
    expect(runner.run(script)).toMatchObject({ status: 0 });
    expect(runner.text('rootfs/etc/os-release')).toBe(`ID=ubuntu\nKAIROS_FLAVOR="ubuntu"\n${LINES}`);
    expect(existsSync(runner.at('rootfs/etc/kairos-release'))).toBe(false);
  });
});

describe('built files', () => {
  const NETBOOT = `for name in "$4".squashfs "$4"-kernel "$4"-initrd; do echo x > "$5/$name"; done`
    .replaceAll('"$4"', '"$5"')
    .replace('"$5/$name"', '"$4/$name"');

  test('are readable by every user, whatever mode the tool gives them', () => {
    const script = scriptOf({ ...READY, netboot: true }, 'build-netboot');
    const tool = `umask 077; ${NETBOOT}`;
    expect(runner.run(script, { auroraboot: tool })).toMatchObject({ status: 0 });
    const modes = ['os.squashfs', 'os-kernel', 'os-initrd'].map(name => modeOf(`artifacts/${name}`));
    expect(modes).toEqual(['644', '644', '644']);
  });

  test('of every step are made readable before they are moved', () => {
    const results = scriptsOf(NESTED_ALL).filter(({ files }) => files.length > 0);
    expect(results.length).toBeGreaterThan(7);
    expect(results.filter(({ script }) => !/chmod -R a\+rX .* && cp /s.test(script))).toEqual([]);
  });

  const ISO = 'while [ "$1" != --output ]; do shift; done; echo iso > "$2/os.iso"';

  test('of an ISO image have a checksum file for sha256sum', () => {
    expect(runner.run(scriptOf(READY, 'build-iso'), { auroraboot: ISO })).toMatchObject({ status: 0 });
    const check = spawnSync('sha256sum', ['-c', 'os.iso.sha256'], { cwd: runner.at('artifacts'), encoding: 'utf8' });
    expect(check.stdout).toBe('os.iso: OK\n');
  });

  test('do not contain an ISO image that was not requested', () => {
    const spec = { imageName: IMAGE, netboot: true };
    expect(runner.run(scriptOf(spec, 'build-iso'), { auroraboot: ISO })).toMatchObject({ status: 0 });
    expect(readdirSync(runner.at('artifacts'))).toEqual([]);
    const tool = `[ -f "$3" ] || exit 3; ${NETBOOT}`;
    expect(runner.run(scriptOf(spec, 'build-netboot'), { auroraboot: tool })).toMatchObject({ status: 0 });
    expect(readdirSync(runner.at('artifacts'))).toEqual(['os-initrd', 'os-kernel', 'os.squashfs']);
    expect(scriptsOf(spec).flatMap(({ files }) => files)).not.toContain('os.iso');
  });

  test('for booting over the network include an iPXE script with the URL', () => {
    const script = scriptOf({ ...READY, netboot: true, netbootURL: "http://boot.example/it's/" }, 'build-netboot');
    expect(runner.run(script, { auroraboot: NETBOOT })).toMatchObject({ status: 0 });
    const lines = runner.text('artifacts/os.ipxe').split('\n');
    expect(lines.slice(0, 2)).toEqual(['#!ipxe', "set url http://boot.example/it's"]);
    expect(lines[2]).toMatch(
      /^kernel \$\{url\}\/os-kernel initrd=os-initrd root=live:\$\{url\}\/os\.squashfs .*rd\.neednet=1/,
    );
    expect(lines.slice(3)).toEqual(['initrd ${url}/os-initrd', 'boot', '']);
  });
});

describe('overlays from a volume of a Secret or ConfigMap', () => {
  /** As the kubelet writes it: links at the top, to a folder that a link selects. */
  function mounted(folder: string): void {
    runner.fresh(folder);
    runner.write(`${folder}/..2026_01_01/etc/app/config`, 'mine');
    runner.write(`${folder}/..2026_01_01/plain`, 'file');
    symlinkSync('..2026_01_01', runner.at(folder, '..data'));
    symlinkSync('..data/etc', runner.at(folder, 'etc'));
    symlinkSync('..data/plain', runner.at(folder, 'plain'));
    chmodSync(runner.at(folder), 0o1777);
  }

  test.each(['iso', 'rootfs'])('have the files and not the links: %s', kind => {
    for (const folder of ['overlay-iso', 'overlay-rootfs']) mounted(folder);
    runner.write('grub.cfg', '');
    rmSync(runner.at('seen'), { recursive: true });
    const tool = `echo > ${runner.work('build-iso')}/medium.iso; cp -r ${runner.work('build-iso')} ${root}/seen`;
    expect(runner.run(scriptOf(NESTED_ALL, 'build-iso'), { auroraboot: tool })).toMatchObject({ status: 0 });
    const overlay = `seen/overlay-${kind}`;
    expect(readdirSync(runner.at(overlay)).filter(name => name !== 'boot')).toEqual(['etc', 'plain']);
    expect([runner.text(overlay, 'etc/app/config'), runner.text(overlay, 'plain')]).toEqual(['mine', 'file']);
    expect(modeOf(overlay)).toBe('755');
  });

  test('from another volume keep the links of the user', () => {
    runner.fresh('overlay-iso', 'overlay-rootfs/etc');
    symlinkSync('/usr/share/zoneinfo/UTC', runner.at('overlay-rootfs/etc/localtime'));
    runner.write('grub.cfg', '');
    const tool = `echo > ${runner.work('build-iso')}/medium.iso; readlink ${runner.work('build-iso')}/overlay-rootfs/etc/localtime > ${root}/seen/link`;
    expect(runner.run(scriptOf(NESTED_ALL, 'build-iso'), { auroraboot: tool })).toMatchObject({ status: 0 });
    expect(runner.text('seen/link')).toBe('/usr/share/zoneinfo/UTC\n');
  });
});

describe('loop devices of a disk', () => {
  const script = scriptOf({ imageName: IMAGE, cloudImage: true }, 'build-cloud-image');
  const LOG = `echo "$(basename "$0") $*" >> ${root}/seen/log`;
  const DISK = `echo disk > ${runner.work('build-cloud-image')}/x.raw`;
  const tools = { auroraboot: DISK, mknod: LOG, losetup: `${LOG}; [ "$4" != -j ] || echo "$OWN"`, kpartx: LOG };

  function attached(number: number, file?: string): void {
    const folder = `sys/block/loop${number}`;
    runner.write(`${folder}/dev`, `7:${number}\n`);
    if (file !== undefined) runner.write(`${folder}/loop/backing_file`, `${file}\n`);
  }

  const calls = () => runner.text('seen/log').trim().split('\n');
  beforeEach(() => runner.fresh('sys/block'));

  test('have nodes in the container, also those that the node gets meanwhile', () => {
    for (let number = 0; number < 70; number += 1) attached(number);
    expect(runner.run(script, tools)).toMatchObject({ status: 0 });
    expect(calls()[0]).toBe(`mknod ${root}/dev/loop-control c 10 237`);
    expect(calls()).toContain(`mknod ${root}/dev/loop133 b 7 133`);
  });

  test('are detached if they were left by a build that was killed, and no others', () => {
    attached(0, '/kairos-operator-build.build-gce-cloud-image/oem.img (deleted)');
    attached(1, '/kairos-operator-build.build-gce-cloud-image/of-a-running-build.img');
    attached(2, '/var/lib/snapd/snaps/core.snap (deleted)');
    attached(3, `${runner.work('build-cloud-image')}/oem.img`);
    const own = { ...tools, losetup: tools.losetup.replace('"$OWN"', '/dev/loop3') };
    expect(runner.run(script, own)).toMatchObject({ status: 0 });
    const detached = calls().flatMap(call => /^losetup -d .*\/(loop\d+)$/.exec(call)?.[1] ?? []);
    expect(new Set(detached)).toEqual(new Set(['loop0', 'loop3']));
  });

  test('of another build with the same path stay attached', () => {
    attached(3, `${runner.work('build-cloud-image')}/oem.img`);
    expect(runner.run(script, tools)).toMatchObject({ status: 0 });
    expect(calls().filter(call => call.startsWith('losetup -d'))).toEqual([]);
  });
});

describe('privileges', () => {
  const privileged = (spec: object) =>
    podSpecOf(spec).initContainers.flatMap(container =>
      JSON.stringify(container).includes('"privileged":true') ? [container.name] : [],
    );

  test('are used by disks only', () =>
    expect(privileged(NESTED_ALL)).toEqual(['build-cloud-image', 'build-azure-cloud-image', 'build-gce-cloud-image']));
});

describe('buildah', () => {
  const spec = OSArtifactSpec.parse({ baseImageName: 'ubuntu:24.04', iso: true });
  const unconfined = (unconfinedBuildah: boolean) => {
    const pod = builderPod(META, buildOf('os', spec), { id: 'id', attempt: 1 }, { ...TOOLS, unconfinedBuildah });
    return pod.spec.initContainers.flatMap(({ name, securityContext }) =>
      JSON.stringify(securityContext ?? {}).includes('Unconfined') ? [{ name, securityContext }] : [],
    );
  };

  test('has the profiles of the runtime unless the operator is set to run it without', () =>
    expect(unconfined(false)).toEqual([]));

  test('is the only step that can be set to run without them', () =>
    expect(unconfined(true)).toEqual([
      {
        name: 'buildah-build',
        securityContext: expect.objectContaining({
          seccompProfile: { type: 'Unconfined' },
          appArmorProfile: { type: 'Unconfined' },
        }),
      },
    ]));
});

describe('results and everything else', () => {
  test('are in different volumes: steps work in one that is deleted with the Pod', () => {
    const { volumes } = podSpecOf({ imageName: IMAGE, azureImage: true, diskSize: '10G' });
    expect(volumes).toContainEqual({ name: 'operator-scratch', emptyDir: { sizeLimit: '94Gi' } });
    const script = scriptOf({ imageName: IMAGE, azureImage: true }, 'build-azure-cloud-image');
    expect(script).toMatch(/export TMPDIR=\/scratch\/\S+ .*state_dir=\/scratch\//);
  });

  test('do not meet if the step fails: an incomplete result is removed', () => {
    mkdirSync(runner.at('bin'), { recursive: true });
    const tool = `echo disk > ${runner.work('build-cloud-image')}/x.raw`;
    const script = scriptOf({ imageName: IMAGE, cloudImage: true }, 'build-cloud-image');
    const failing = { auroraboot: tool, mknod: 'exit 0', losetup: 'exit 0', cp: 'echo half > "$2"; exit 1' };
    expect(runner.run(script, failing).status).toBe(1);
    expect([readdirSync(runner.at('artifacts')), readdirSync(runner.at('scratch'))]).toEqual([[], []]);
    rmSync(runner.at('bin/cp'));
  });
});
