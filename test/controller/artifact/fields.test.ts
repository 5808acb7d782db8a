/** Each field of both shapes has its effect on the created objects: texts that are there with the field and not without it. */
import { describe, expect, test } from '@jest/globals';
import { FLAT_FIELDS, NESTED_FIELDS, OSArtifactSpec } from '../../../api/os-artifact.js';
import { DOCUMENTED, IMAGE, manifestsOf, NESTED_ALL } from './samples.js';

/** The field, a spec with it, and texts in the objects that are created for the spec. */
type Row = [field: string, spec: object, ...texts: string[]];

const READY = { imageName: IMAGE, iso: true };
const own = { baseImageDockerfile: { name: 'def' }, iso: true };

const FLAT: Row[] = [
  ['imageName', { ...READY, imageName: 'an/image:1' }, 'auroraboot unpack oci:an/image:1 /rootfs'],
  ['baseImageName', { baseImageName: 'plain:1', iso: true }, '--build-arg BASE_IMAGE=plain:1'],
  ['baseImageDockerfile', own, 'buildah-build', 'os-rendered-ocispec'],
  ['dockerfileTemplateValues', { ...own, dockerfileTemplateValues: { Version: 'q7' } }, base64('Version: q7')],
  ['dockerfileTemplateValuesFrom', { ...own, dockerfileTemplateValuesFrom: { name: 'values' } }, base64('Version: 1"')],
  [
    'iso',
    READY,
    'auroraboot --debug build-iso --override-name os ',
    'cp /scratch/kairos-operator-build.build-iso/os.iso /artifacts/.os-build-iso && mv /artifacts/.os-build-iso /artifacts/os.iso',
  ],
  ['cloudImage', { ...READY, cloudImage: true }, 'disk.raw=true', '/artifacts/os.raw'],
  ['azureImage', { ...READY, azureImage: true }, 'disk.vhd=true', '/artifacts/os.vhd'],
  ['gceImage', { ...READY, gceImage: true }, 'disk.gce=true', '/artifacts/os.gce.tar.gz'],
  [
    'netboot',
    { ...READY, netboot: true },
    'auroraboot --debug netboot /artifacts/os.iso /scratch/kairos-operator-build.build-netboot os',
  ],
  [
    'netbootURL',
    { ...READY, netboot: true, netbootURL: 'http://here' },
    '"name":"URL","value":"http://here"',
    'set url http://here',
  ],
  ['diskSize', { ...READY, gceImage: true, diskSize: '11G' }, "--set 'disk.size=11264'"],
  [
    'cloudConfigRef',
    { ...READY, cloudConfigRef: { name: 'cc' } },
    '"secretName":"cc"',
    '--cloud-config /cloud-config.yaml',
  ],
  [
    'grubConfig',
    { ...READY, grubConfig: 'set x=1' },
    '"grub.cfg":"set x=1"',
    '--overlay-iso /scratch/kairos-operator-build.build-iso/overlay-iso',
  ],
  ['osRelease', { ...READY, osRelease: '7.7' }, '"os-release":"VERSION=\\"7.7\\"\\n"', "'/^VERSION=/d'"],
  [
    'kairosRelease',
    { ...READY, kairosRelease: 'v8' },
    'KAIROS_VERSION=\\"v8\\"\\nKAIROS_RELEASE=\\"v8\\"',
    "'/^KAIROS_VERSION=/d'",
  ],
  ['bundles', { ...READY, bundles: ['one/bundle:2'] }, 'pull-image-0', 'auroraboot unpack oci:one/bundle:2 /rootfs'],
  ['imagePullSecrets', { ...READY, imagePullSecrets: [{ name: 'pull' }] }, '[{"name":"pull"}]', 'image-credentials'],
  ['volume', { ...READY, volume: { storageClassName: 'fast' } }, '"storageClassName":"fast"'],
  ['exporters', DOCUMENTED['iso-and-exporter'] ?? {}, 'os-export-0', '"claimName":"os-artifacts","readOnly":true'],
];

const { image, artifacts } = NESTED_ALL;

const NESTED: Row[] = [
  ['image', NESTED_ALL, '--build-arg VERSION=v1.2.3', '--build-arg BASE_IMAGE=ubuntu:24.04', '--build-arg MODEL=rpi4'],
  [
    'image.buildOptions',
    NESTED_ALL,
    'TRUSTED_BOOT=true',
    'KUBERNETES_DISTRO=k3s',
    'KUBERNETES_VERSION=v1.34.1',
    'FIPS=fips',
  ],
  ['image.buildOptions.kairosInitImage', NESTED_ALL, 'KAIROS_INIT_IMAGE=quay.io/kairos/kairos-init:v9'],
  ['image.ociSpec', NESTED_ALL, base64('FROM from-template')],
  ['image.ociSpec.buildContextVolume', NESTED_ALL, '"name":"context","mountPath":"/workspace"'],
  ['image.buildImage, push', NESTED_ALL, 'docker://registry.example:5000/os/edge:v7'],
  ['image.imageCredentialsSecretRef', NESTED_ALL, '--authfile /root/.docker/config.json', '{"name":"registry-login"}'],
  ['image.buildEnv', NESTED_ALL, '{"name":"HTTP_PROXY","value":"http://proxy.example"}'],
  ['image.caCertificatesVolume', NESTED_ALL, '--cert-dir /etc/ssl/buildah/certs', '"name":"authorities","mountPath"'],
  ['image.pullInsecureRegistry', NESTED_ALL, '--allow-insecure-registries', '--tls-verify=false --arch arm64'],
  ['image.pushInsecureRegistry', NESTED_ALL, '--tls-verify=false localhost/os:latest docker://'],
  [
    'artifacts',
    NESTED_ALL,
    'build-iso',
    'build-netboot',
    'build-cloud-image',
    'build-azure-cloud-image',
    'build-gce-cloud',
  ],
  ['artifacts.arch', NESTED_ALL, '--arch arm64', "--set 'arch=arm64'"],
  ['artifacts.overlayISOVolume', NESTED_ALL, 'find /overlay-iso -mindepth 1'],
  [
    'artifacts.overlayRootfsVolume',
    NESTED_ALL,
    '--overlay-rootfs /scratch/kairos-operator-build.build-iso/overlay-rootfs',
  ],
  [
    'artifacts.uki',
    NESTED_ALL,
    '--output-type iso',
    '--output-type container',
    '--output-type uki',
    '"mountPath":"/uki-keys"',
  ],
  ['artifacts.diskSize', NESTED_ALL, "--set 'disk.size=20480'"],
  [
    'artifacts.uki, cloudConfigRef',
    NESTED_ALL,
    'cp /cloud-config.yaml /scratch/kairos-operator-build.build-uki-iso/overlay-iso/cloud_config.yaml',
  ],
  ['artifacts.cloudConfigRef', NESTED_ALL, '"secretName":"cloud"', '--cloud-config /cloud-config.yaml'],
  [
    'artifacts.grubConfig',
    NESTED_ALL,
    'install -D -m 0644 /grub.cfg /scratch/kairos-operator-build.build-iso/overlay-iso/boot/grub2/grub.cfg',
  ],
  [
    'artifacts.bundles',
    NESTED_ALL,
    'oci:quay.io/kairos/packages:one /rootfs',
    'oci:quay.io/kairos/packages:two /rootfs',
  ],
  ['artifacts.osRelease', NESTED_ALL, 'cat /config/os-release > /rootfs/etc/os-release'],
  ['artifacts.kairosRelease', NESTED_ALL, '"kairos-release":"KAIROS_VERSION=\\"v7.7.7\\"'],
  ['artifacts.netbootURL', NESTED_ALL, '"name":"URL","value":"http://boot.example"'],
  ['artifacts.volume', NESTED_ALL, '"name":"workshop","mountPath":"/artifacts"'],
  ['nodeSelector', NESTED_ALL, '"nodeSelector":{"disk":"fast","kubernetes.io/arch":"arm64"}'],
  ['tolerations', NESTED_ALL, '"tolerations":[{"key":"builders"'],
  ['affinity', NESTED_ALL, '"affinity":{"nodeAffinity"'],
  ['podLabels', NESTED_ALL, '"team":"edge"'],
  ['podAnnotations', NESTED_ALL, '"note":"a build"'],
  ['resources', NESTED_ALL, ...['1', '2', '3', '4', '5', '6', '7'].map(cpu => `{"requests":{"cpu":"${cpu}"}}`)],
  ['volumes', NESTED_ALL, '"name":"keys","secret":{"secretName":"keys"}'],
  ['importers', NESTED_ALL, '{"name":"fetch","image":"curlimages/curl"'],
  [
    'nameOverride',
    NESTED_ALL,
    'medium.iso',
    'raw-disk.raw',
    'azure-disk.vhd',
    'gce-disk.gce.tar.gz',
    '/kairos-operator-build.build-netboot/net.squashfs',
    'signed-uki',
  ],
];

/** A text within the base64 data of a Secret. */
function base64(text: string): string {
  return `decoded:${text}`;
}

function objectsText(spec: object): string {
  const text = JSON.stringify(manifestsOf(spec));
  const decoded = [...text.matchAll(/"ociSpec":"([A-Za-z0-9+/=]+)"/g)].map(([, code = '']) =>
    Buffer.from(code, 'base64').toString(),
  );
  return (
    text +
    decoded
      .flatMap(all => all.split('\n'))
      .map(line => `decoded:${line}`)
      .join('\n')
  );
}

const PLAIN = { imageName: 'other/image:0', azureImage: true };
const has = (text: string, part: string) =>
  part.startsWith('decoded:')
    ? text.split('\n').some(line => line.startsWith('decoded:') && line.includes(part.slice('decoded:'.length)))
    : text.includes(part);

describe('each field has its effect on the created objects', () => {
  test.each([...FLAT, ...NESTED])('%s', (field, spec, ...texts) => {
    const text = objectsText(spec);
    expect(texts.filter(part => !has(text, part))).toEqual([]);
    const without = objectsText(field === 'azureImage' ? { imageName: 'other/image:0', iso: true } : PLAIN);
    expect(texts.every(part => has(without, part))).toBe(false);
  });

  test.each(['grubConfig', 'osRelease', 'kairosRelease', 'netbootURL', 'diskSize', 'baseImageName'])(
    '%s has no effect when it is empty',
    field => {
      const ready = { imageName: 'other/image:0', iso: true, netboot: true };
      expect(objectsText({ ...ready, [field]: '' })).toBe(objectsText(ready));
    },
  );

  test('a version with quotes is escaped within one line of the release file', () =>
    expect(JSON.stringify(manifestsOf({ ...READY, osRelease: 'a"$b' }))).toContain(
      JSON.stringify('VERSION="a\\"\\$b"\n').slice(1, -1),
    ));

  test('every field of the schema has a row in this table', () => {
    const rows = new Set([...FLAT, ...NESTED].map(([field]) => field.split('.')[0]));
    const all = Object.keys(OSArtifactSpec.shape);
    expect(all.filter(field => !rows.has(field))).toEqual([]);
    expect(all.length).toBe(FLAT_FIELDS.length + NESTED_FIELDS.length + 3);
  });

  test('the full example of the nested shape is valid', () => {
    expect([image, artifacts].every(Boolean)).toBe(true);
    expect(OSArtifactSpec.safeParse(NESTED_ALL).success).toBe(true);
  });
});
