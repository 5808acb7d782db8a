import { describe, expect, test } from '@jest/globals';
import { OSArtifactSpec } from '../../api/os-artifact.js';
import { osArtifactWarnings } from '../../api/os-artifact-warnings.js';
import { osArtifactFaults } from '../../api/os-artifact-rules.js';
import { DOCUMENTED, NESTED_ALL } from '../controller/artifact/samples.js';

const cautions = (spec: object) => osArtifactWarnings(OSArtifactSpec.parse(spec));
const faults = (spec: object) =>
  osArtifactFaults(OSArtifactSpec.parse(spec)).map(({ path, message }) => `${path.join('.')}: ${message}`);

const ready = { image: { ref: 'x' }, artifacts: { iso: true } };

describe('what the documents show is right', () => {
  test.each(Object.entries(DOCUMENTED))('%s', (_, spec) => expect(faults(spec)).toEqual([]));
  test('the newer shape in full', () => expect(faults(NESTED_ALL)).toEqual([]));
  const image = { buildOptions: { version: 'v1', baseImage: 'ubuntu' } };
  test('an image alone, built and packed', () => expect(faults({ image })).toEqual([]));
  test('an image alone, for another processor', () =>
    expect(faults({ image, artifacts: { arch: 'arm64' } })).toEqual([]));
  test('texts that are empty, as a template renders what is not wanted', () => {
    const flat = { imageName: '', baseImageName: 'x', diskSize: '', netbootURL: '', grubConfig: '', osRelease: '' };
    expect(faults({ ...flat, iso: true })).toEqual([]);
    expect(cautions({ ...flat, iso: true })).toEqual([]);
    const nested = {
      image: { ref: 'x', caCertificatesVolume: '' },
      artifacts: { iso: true, volume: '', overlayISOVolume: '' },
    };
    expect(faults(nested)).toEqual([]);
  });
  test('an importer that prepares the root file system', () =>
    expect(faults({ ...ready, importers: [{ name: 'i', volumeMounts: [{ name: 'rootfs' }] }] })).toEqual([]));
});

const uki = (more: object) => ({ image: { ref: 'x' }, artifacts: { uki: { iso: true, ...more } } });
const volume = (name: string) => ({ name, emptyDir: {} });
const claimed = (name: string) => ({ name, persistentVolumeClaim: { claimName: name } });
const exporter = { template: { spec: { containers: [{ name: 'e' }] } } };

describe('what is wrong is said with its path', () => {
  test.each<[string, object, string[]]>([
    ['a mix of shapes', { ...ready, imageName: 'x', iso: true }, ['imageName: may not', 'iso: may not']],
    [
      'a field of the newer shape beside the older one',
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
      'no artifact where some are spoken of',
      { image: { ref: 'x' }, artifacts: { arch: 'arm64' } },
      ['artifacts: at least one'],
    ],
    ['no image', { artifacts: { iso: true } }, ['image: one of ref, buildOptions and ociSpec']],
    [
      'a ready image that is to be built',
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
    ['signing without keys', uki({}), ['artifacts.uki.keysVolume: must be given']],
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
      'an importer that writes where nothing is built',
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
      'importers named like steps, or alike',
      { ...ready, importers: [{ name: 'build-iso' }, { name: 'one' }, { name: 'one' }] },
      ['importers.0.name: "build-iso" is the name of a build step', 'importers.2.name: "one" is used twice'],
    ],
    [
      'a place that is gone when exporters come',
      { image: { ref: 'x' }, artifacts: { iso: true, volume: 'a' }, volumes: [volume('a')], exporters: [exporter] },
      ['artifacts.volume: the volume "a" is deleted with the builder Pod'],
    ],
    [
      'a place that cannot be written to',
      {
        image: { ref: 'x' },
        artifacts: { iso: true, volume: 'a' },
        volumes: [{ name: 'a', configMap: { name: 'a' } }],
      },
      ['artifacts.volume: the volume "a" is read-only'],
    ],
    [
      'a place that may only be read',
      {
        image: { ref: 'x' },
        artifacts: { iso: true, volume: 'a' },
        volumes: [{ name: 'a', persistentVolumeClaim: { claimName: 'a', readOnly: true } }],
      },
      ['artifacts.volume: the volume "a" is read-only'],
    ],
    [
      'two files of one name',
      {
        image: { ref: 'x' },
        artifacts: { iso: true, uki: { iso: true, keysVolume: 'k' } },
        volumes: [volume('k')],
        nameOverride: { iso: 'edge-uki', uki: 'edge' },
      },
      ['nameOverride.iso: two files would be named edge-uki.iso'],
    ],
    [
      'a name of files that no file system takes',
      { ...ready, nameOverride: { iso: 'a'.repeat(241) } },
      ['nameOverride.iso: must have at most 240 characters'],
    ],
  ])('%s', (_, spec, expected) => {
    const found = faults(spec);
    expect(found).toHaveLength(expected.length);
    expected.forEach((start, index) => expect(found[index]).toContain(start));
  });
});

describe('the shape itself refuses', () => {
  test.each<[string, object]>([
    ['an unknown architecture', { image: { ref: 'x' }, artifacts: { iso: true, arch: 'riscv' } }],
    ['a volume without a name', { ...ready, volumes: [{ emptyDir: {} }] }],
    ['an empty name of a volume', { ...ready, volumes: [volume('')] }],
    ['a name of files with slashes', { ...ready, nameOverride: { iso: '../x' } }],
    ['build options without a version', { image: { buildOptions: { baseImage: 'x' } } }],
    ['an image that is a flag', { imageName: '--help', iso: true }],
    ['a bundle that is a flag', { imageName: 'x', iso: true, bundles: ['--help'] }],
    ['an image of two words', { image: { ref: 'a b' }, artifacts: { iso: true } }],
    ['half a target', { image: { ociSpec: { ref: { name: 'd' } }, buildImage: { registry: 'r' } } }],
    ['a size of nothing', { imageName: 'x', cloudImage: true, diskSize: '0' }],
    ['a size beyond all disks', { imageName: 'x', cloudImage: true, diskSize: '99999999999999999999999T' }],
    ['a size that is none', { imageName: 'x', cloudImage: true, diskSize: "10G'; rm -rf /" }],
  ])('%s', (_, spec) => expect(OSArtifactSpec.safeParse(spec).success).toBe(false));
});

describe('what may surprise is told', () => {
  test('a bundle of one word, and what it means', () =>
    expect(cautions(DOCUMENTED.advanced ?? {})).toEqual([
      'spec.bundles[0]: bundles are image references: "docker" means "docker.io/library/docker:latest"',
      'spec.bundles[1]: bundles are image references: "k3s" means "docker.io/library/k3s:latest"',
    ]));

  test('an exporter that brings the volume that is ours', () =>
    expect(cautions(DOCUMENTED['iso-and-exporter'] ?? {})).toEqual([
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
  ])('%s', (sentence, spec) => expect(cautions(spec)).toEqual([sentence]));

  test('nothing else', () => expect(cautions(DOCUMENTED.netboot ?? {})).toEqual([]));
});
