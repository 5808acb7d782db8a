import { describe, expect, test } from '@jest/globals';
import { OSArtifactSpec } from '../../api/os-artifact.js';
import { osArtifactWarnings } from '../../api/os-artifact-warnings.js';
import { osArtifactFaults } from '../../api/os-artifact-rules.js';
import { DOCUMENTED, NESTED_ALL } from '../controller/artifact/samples.js';

const warnings = (spec: object) => osArtifactWarnings(OSArtifactSpec.parse(spec));
const faults = (spec: object) =>
  osArtifactFaults(OSArtifactSpec.parse(spec)).map(({ path, message }) => `${path.join('.')}: ${message}`);

const ready = { image: { ref: 'x' }, artifacts: { iso: true } };

describe('a valid spec', () => {
  test.each(Object.entries(DOCUMENTED))('is the documented example %s', (_, spec) => expect(faults(spec)).toEqual([]));
  test('may use every field of the nested shape', () => expect(faults(NESTED_ALL)).toEqual([]));
  const image = { buildOptions: { version: 'v1', baseImage: 'ubuntu' } };
  test('may build an image without any artifact', () => expect(faults({ image })).toEqual([]));
  test('may build an image for another architecture without any artifact', () =>
    expect(faults({ image, artifacts: { arch: 'arm64' } })).toEqual([]));
  test('may have empty texts, which a template renders for values that are not set', () => {
    const flat = { imageName: '', baseImageName: 'x', diskSize: '', netbootURL: '', grubConfig: '', osRelease: '' };
    expect(faults({ ...flat, iso: true })).toEqual([]);
    expect(warnings({ ...flat, iso: true })).toEqual([]);
    const nested = {
      image: { ref: 'x', caCertificatesVolume: '' },
      artifacts: { iso: true, volume: '', overlayISOVolume: '' },
    };
    expect(faults(nested)).toEqual([]);
  });
  test('may have an importer that mounts the root file system', () =>
    expect(faults({ ...ready, importers: [{ name: 'i', volumeMounts: [{ name: 'rootfs' }] }] })).toEqual([]));
});

const uki = (more: object) => ({ image: { ref: 'x' }, artifacts: { uki: { iso: true, ...more } } });
const volume = (name: string) => ({ name, emptyDir: {} });
const claimed = (name: string) => ({ name, persistentVolumeClaim: { claimName: name } });
const exporter = { template: { spec: { containers: [{ name: 'e' }] } } };

describe('a fault is reported with its path', () => {
  test.each<[string, object, string[]]>([
    ['a mix of shapes', { ...ready, imageName: 'x', iso: true }, ['imageName: may not', 'iso: may not']],
    [
      'a field of the nested shape beside the flat shape',
      { imageName: 'x', iso: true, nodeSelector: {} },
      ['imageName', 'iso'],
    ],
    ['no source', { iso: true }, ['imageName: exactly one of']],
    [
      'two sources',
      { imageName: 'x', baseImageName: 'y', iso: true },
      ['baseImageName: may not be given beside imageName'],
    ],
    ['no artifact', { imageName: 'x' }, ['iso: at least one of']],
    ['no artifact of a ready image', { image: { ref: 'x' } }, ['artifacts: at least one kind']],
    [
      'no artifact beside other fields of artifacts',
      { image: { ref: 'x' }, artifacts: { arch: 'arm64' } },
      ['artifacts: at least one'],
    ],
    ['no image', { artifacts: { iso: true } }, ['image: one of ref, buildOptions and ociSpec']],
    [
      'a ready image with build options',
      { ...ready, image: { ref: 'x', buildOptions: { version: 'v1', baseImage: 'y' } } },
      ['image.buildOptions: may not be given beside ref'],
    ],
    [
      'a push without a target',
      { image: { ociSpec: { ref: { name: 'd' } }, push: true } },
      ['image.buildImage: must be given'],
    ],
    [
      'a push of a ready image',
      { ...ready, image: { ref: 'x', push: true } },
      ['image.buildImage', 'image.push: only'],
    ],
    ['a unified kernel image without keys', uki({}), ['artifacts.uki.keysVolume: must be given']],
    [
      'an unknown volume',
      uki({ keysVolume: 'keys' }),
      ['artifacts.uki.keysVolume: there is no volume "keys" in volumes'],
    ],
    ['a reserved volume', { ...ready, volumes: [volume('rootfs')] }, ['volumes.0.name: "rootfs" is reserved']],
    ['a volume twice', { ...ready, volumes: [volume('a'), volume('a')] }, ['volumes.1.name: "a" is used twice']],
    [
      'an importer with an unknown volume',
      { ...ready, importers: [{ name: 'i', volumeMounts: [{ name: 'b', mountPath: '/b' }] }] },
      ['importers.0.volumeMounts.0.name: there is no volume "b" in volumes'],
    ],
    [
      'an importer that mounts artifacts beside a user volume',
      {
        image: { ref: 'x' },
        artifacts: { iso: true, volume: 'mine' },
        volumes: [claimed('mine')],
        importers: [{ name: 'i', volumeMounts: [{ name: 'artifacts', mountPath: '/a' }] }],
      },
      ['importers.0.volumeMounts.0.name: the built files are in the volume "mine" of this spec'],
    ],
    [
      'an importer with a volume that this build does not have',
      { ...ready, importers: [{ name: 'i', volumeMounts: [{ name: 'ocispec', mountPath: '/a' }] }] },
      ['importers.0.volumeMounts.0.name: this build has no volume "ocispec"'],
    ],
    [
      'importers with the name of a step, or the same name',
      { ...ready, importers: [{ name: 'build-iso' }, { name: 'one' }, { name: 'one' }] },
      ['importers.0.name: "build-iso" is the name of a build step', 'importers.2.name: "one" is used twice'],
    ],
    [
      'an emptyDir to build in with exporters',
      { image: { ref: 'x' }, artifacts: { iso: true, volume: 'a' }, volumes: [volume('a')], exporters: [exporter] },
      ['artifacts.volume: the volume "a" is deleted with the builder Pod'],
    ],
    [
      'a ConfigMap to build in',
      {
        image: { ref: 'x' },
        artifacts: { iso: true, volume: 'a' },
        volumes: [{ name: 'a', configMap: { name: 'a' } }],
      },
      ['artifacts.volume: the volume "a" is read-only'],
    ],
    [
      'a read-only claim to build in',
      {
        image: { ref: 'x' },
        artifacts: { iso: true, volume: 'a' },
        volumes: [{ name: 'a', persistentVolumeClaim: { claimName: 'a', readOnly: true } }],
      },
      ['artifacts.volume: the volume "a" is read-only'],
    ],
    [
      'two files with the same name',
      {
        image: { ref: 'x' },
        artifacts: { iso: true, uki: { iso: true, keysVolume: 'k' } },
        volumes: [volume('k')],
        nameOverride: { iso: 'edge-uki', uki: 'edge' },
      },
      ['nameOverride.iso: two files would be named edge-uki.iso'],
    ],
    [
      'a file name that is too long for a file system',
      { ...ready, nameOverride: { iso: 'a'.repeat(241) } },
      ['nameOverride.iso: must have at most 240 characters'],
    ],
  ])('%s', (_, spec, expected) => {
    const found = faults(spec);
    expect(found).toHaveLength(expected.length);
    expected.forEach((start, index) => expect(found[index]).toContain(start));
  });
});

describe('the schema rejects', () => {
  test.each<[string, object]>([
    ['an unknown architecture', { image: { ref: 'x' }, artifacts: { iso: true, arch: 'riscv' } }],
    ['a volume without a name', { ...ready, volumes: [{ emptyDir: {} }] }],
    ['an empty name of a volume', { ...ready, volumes: [volume('')] }],
    ['a file name with slashes', { ...ready, nameOverride: { iso: '../x' } }],
    ['build options without a version', { image: { buildOptions: { baseImage: 'x' } } }],
    ['an image that is a flag', { imageName: '--help', iso: true }],
    ['a bundle that is a flag', { imageName: 'x', iso: true, bundles: ['--help'] }],
    ['an image of two words', { image: { ref: 'a b' }, artifacts: { iso: true } }],
    [
      'an incomplete image reference to push to',
      { image: { ociSpec: { ref: { name: 'd' } }, buildImage: { registry: 'r' } } },
    ],
    ['a disk size of 0', { imageName: 'x', cloudImage: true, diskSize: '0' }],
    ['a disk size beyond all disks', { imageName: 'x', cloudImage: true, diskSize: '99999999999999999999999T' }],
    ['a disk size with shell commands', { imageName: 'x', cloudImage: true, diskSize: "10G'; rm -rf /" }],
  ])('%s', (_, spec) => expect(OSArtifactSpec.safeParse(spec).success).toBe(false));
});

describe('a warning is given', () => {
  test('for a bundle without registry, with the image that it means', () =>
    expect(warnings(DOCUMENTED.advanced ?? {})).toEqual([
      'spec.bundles[0]: bundles are image references: "docker" means "docker.io/library/docker:latest"',
      'spec.bundles[1]: bundles are image references: "k3s" means "docker.io/library/k3s:latest"',
    ]));

  test('for an exporter that declares the volume artifacts', () =>
    expect(warnings(DOCUMENTED['iso-and-exporter'] ?? {})).toEqual([
      'spec.exporters[0]: its volume artifacts is replaced by the one with the built files',
    ]));

  test.each<[string, object]>([
    ['spec.volume: has no effect beside artifacts.volume', { ...ready, artifacts: { volume: 'a' }, volume: {} }],
    [
      'spec.dockerfileTemplateValues: has no effect without baseImageDockerfile',
      { imageName: 'x', iso: true, dockerfileTemplateValues: {} },
    ],
    [
      'spec.artifacts.volume: "a" is deleted with the builder Pod, and the built files with it',
      { image: { ref: 'x' }, artifacts: { iso: true, volume: 'a' }, volumes: [volume('a')] },
    ],
    [
      'spec.artifacts.cloudConfigRef: has no effect on images and files with a unified kernel image: only ISO images, disks and network boot use it',
      {
        image: { ref: 'x' },
        artifacts: { uki: { efi: true, keysVolume: 'a' }, cloudConfigRef: { name: 'c' } },
        volumes: [volume('a')],
      },
    ],
    ['spec.netbootURL: has no effect without netboot', { imageName: 'x', iso: true, netbootURL: 'http://a' }],
    [
      'spec.artifacts.netbootURL: has no effect without artifacts.netboot',
      { ...ready, artifacts: { iso: true, netbootURL: 'http://a' } },
    ],
    [
      'spec.image.buildOptions.version: "latest" is not a semantic version, such as v3.6.0: kairos-init will refuse it',
      { image: { buildOptions: { version: 'latest', baseImage: 'x' } } },
    ],
    [
      'spec.kairosRelease: "edge" is not a semantic version, such as v3.6.0: kairos-init will refuse it',
      { baseImageName: 'x', iso: true, kairosRelease: 'edge' },
    ],
    [
      'spec.image.buildOptions.kubernetesVersion: has no effect without image.buildOptions.kubernetesDistro',
      { image: { buildOptions: { version: 'v1', baseImage: 'x', kubernetesVersion: 'v1' } } },
    ],
    [
      'spec.artifacts.kairosRelease: replaces the whole file, which is then without KAIROS_RELEASE, KAIROS_MODEL, KAIROS_ARCH; a version alone is set in it',
      { ...ready, artifacts: { iso: true, kairosRelease: 'KAIROS_VERSION="v1"\nKAIROS_FLAVOR="x"\n' } },
    ],
    [
      'spec.volume: 10Gi may be too little for 2 disks of 10G and the image; set volume.resources.requests.storage',
      { imageName: 'x', cloudImage: true, azureImage: true, diskSize: '10G' },
    ],
    [
      'spec.volume: 5000M may be too little for a disk of 10240 and the image; set volume.resources.requests.storage',
      {
        ...ready,
        artifacts: { cloudImage: true, diskSize: '10240' },
        volume: { resources: { requests: { storage: '5000M' } } },
      },
    ],
  ])('as %s', (sentence, spec) => expect(warnings(spec)).toEqual([sentence]));

  test.each<[string, object]>([
    ['a version of a ready image that is a word', { imageName: 'x', iso: true, kairosRelease: 'edge' }],
    ['a pre-release with build metadata', { baseImageName: 'x', iso: true, kairosRelease: 'v3.6.0-rc1+k3s1' }],
    [
      'disks that the volume can hold',
      {
        imageName: 'x',
        cloudImage: true,
        azureImage: true,
        diskSize: '10G',
        volume: { resources: { requests: { storage: '50Gi' } } },
      },
    ],
    ['a compressed disk', { imageName: 'x', gceImage: true, diskSize: '50G' }],
    [
      'disks in a volume of the user',
      {
        ...ready,
        artifacts: { cloudImage: true, diskSize: '1T', volume: 'a' },
        volumes: [{ name: 'a', persistentVolumeClaim: { claimName: 'a' } }],
      },
    ],
  ])('for nothing about %s', (_title, spec) => expect(warnings(spec)).toEqual([]));

  test('for nothing in a usual spec', () => expect(warnings(DOCUMENTED.netboot ?? {})).toEqual([]));
});
