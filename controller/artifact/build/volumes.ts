/** Volumes of a build, and where its containers mount them. */
import { isContent } from '../../../api/artifact-values.js';
import { ARTIFACTS_VOLUME, type NamedObject, SCRATCH_VOLUME } from '../../../api/passthrough.js';
import type { Build } from './build.js';
import type { Mount } from './container.js';
import type { ObjectNames } from './object-names.js';
import { SCRATCH_FOLDER } from './scripts/work-folder.js';

export const CONFIG_KEYS = { grub: 'grub.cfg', os: 'os-release', kairos: 'kairos-release' } as const;
export type ReleaseKey = (typeof CONFIG_KEYS)['os' | 'kairos'];

/** What a bare version sets in a release file. Tools read the version of a Kairos system from either of its variables. */
export const RELEASE_VARIABLES: Readonly<Record<ReleaseKey, readonly string[]>> = {
  'os-release': ['VERSION'],
  'kairos-release': ['KAIROS_VERSION', 'KAIROS_RELEASE'],
};

/** Keys of the rendered Secret. */
export const DOCKERFILE_KEY = 'ociSpec';
export const CREDENTIALS_KEY = 'config.json';

const storageVolume = ({ storage }: Build) => (storage.is === 'volume' ? storage.name : ARTIFACTS_VOLUME);

export const hasConfig = ({ grubConfig, osRelease, kairosRelease }: Build): boolean =>
  [grubConfig, osRelease, kairosRelease].some(text => text !== undefined);

export const hasCredentials = ({ credentials, pullSecrets }: Build): boolean =>
  credentials !== undefined || pullSecrets.length > 0;

export const needsSecret = (build: Build): boolean => build.source.is === 'dockerfile' || hasCredentials(build);

/** Escapes a text within double quotes, as os-release(5) requires. */
const escapeQuoted = (text: string) => text.replaceAll(/["$`\\]/g, String.raw`\$&`);

/** Content of the ConfigMap. A bare version becomes the lines that set it. */
export function configOf({ grubConfig, osRelease, kairosRelease }: Build): Record<string, string> {
  const release = (text: string, key: ReleaseKey) =>
    isContent(text) ? text : RELEASE_VARIABLES[key].map(name => `${name}="${escapeQuoted(text)}"\n`).join('');
  return {
    ...(grubConfig === undefined ? {} : { [CONFIG_KEYS.grub]: grubConfig }),
    ...(osRelease === undefined ? {} : { [CONFIG_KEYS.os]: release(osRelease, CONFIG_KEYS.os) }),
    ...(kairosRelease === undefined ? {} : { [CONFIG_KEYS.kairos]: release(kairosRelease, CONFIG_KEYS.kairos) }),
  };
}

const secretVolume = (name: string, secretName: string, items: object[]): NamedObject => ({
  name,
  secret: { secretName, items },
});

const item = (key: string, path = key) => ({ key, path });

/** Steps need room for copies of the system and of disks. A build that needs more than this ends before it fills the node. */
const scratchVolume = ({ diskMiB = 0 }: Build, scratchGiB: number): NamedObject => ({
  name: SCRATCH.name,
  emptyDir: { sizeLimit: `${scratchGiB + Math.ceil((DISK_COPIES * diskMiB) / 1024)}Gi` },
});

/** Of a disk: its partitions, the raw image, and another format. */
const DISK_COPIES = 3;

export function volumesOf(build: Build, names: ObjectNames, scratchGiB: number): NamedObject[] {
  const { source, cloudConfig, storage } = build;
  return [
    ...(storage.is === 'claim' ? [{ name: ARTIFACTS_VOLUME, persistentVolumeClaim: { claimName: names.claim } }] : []),
    { name: 'rootfs', emptyDir: {} },
    scratchVolume(build, scratchGiB),
    ...(hasConfig(build) ? [{ name: 'config', configMap: { name: names.config } }] : []),
    ...(source.is === 'dockerfile' ? [secretVolume('ocispec', names.secret, [item(DOCKERFILE_KEY)])] : []),
    ...(hasCredentials(build) ? [secretVolume('image-credentials', names.secret, [item(CREDENTIALS_KEY)])] : []),
    ...(cloudConfig
      ? [secretVolume('cloudconfig', cloudConfig.name, [item(cloudConfig.key, 'cloud-config.yaml')])]
      : []),
    ...build.volumes,
  ];
}

/** The volume `artifacts` of an exporter: the built files. */
export function builtVolume(build: Build, names: ObjectNames): NamedObject {
  const { storage } = build;
  if (storage.is === 'claim')
    return { name: ARTIFACTS_VOLUME, persistentVolumeClaim: { claimName: names.claim, readOnly: true } };
  return { ...build.volumes.find(volume => volume.name === storage.name), name: ARTIFACTS_VOLUME };
}

const userStorage = ({ storage, volumes }: Build): NamedObject | undefined =>
  storage.is === 'volume' ? volumes.find(({ name }) => name === storage.name) : undefined;

/** Whether the built files are in a folder of the node that they were built on. */
export const isFolderOfNode = (build: Build): boolean => {
  const source = userStorage(build)?.['hostPath'];
  return source !== undefined && source !== null;
};

/** The claim that the built files are in; undefined if they are elsewhere. */
export function claimOf(build: Build, names: ObjectNames): string | undefined {
  if (build.storage.is === 'claim') return names.claim;
  const source = userStorage(build)?.['persistentVolumeClaim'];
  const name: unknown = typeof source === 'object' && source !== null && 'claimName' in source ? source.claimName : '';
  return typeof name === 'string' && name !== '' ? name : undefined;
}

export const artifactsMount = (build: Build): Mount => ({ name: storageVolume(build), mountPath: '/artifacts' });
export const ROOTFS: Mount = { name: 'rootfs', mountPath: '/rootfs' };
export const SCRATCH: Mount = { name: SCRATCH_VOLUME, mountPath: SCRATCH_FOLDER };

const readOnly = (name: string, mountPath: string, subPath?: string): Mount => ({
  name,
  mountPath,
  ...(subPath === undefined ? {} : { subPath }),
  readOnly: true,
});

/** The ConfigMap is mounted apart because the tool image already has files and links at the paths of release files. */
export const CONFIG_FOLDER = '/config';
export const configFolder: Mount = readOnly('config', CONFIG_FOLDER);
export const configMount = (key: string, mountPath: string): Mount => readOnly('config', mountPath, key);
export const cloudConfigMounts = ({ cloudConfig }: Build): Mount[] =>
  cloudConfig ? [readOnly('cloudconfig', '/cloud-config.yaml', 'cloud-config.yaml')] : [];
export const dockerfileMount: Mount = readOnly('ocispec', '/ocispec');

export const CERTIFICATES = '/etc/ssl/buildah/certs';

/** Mounts a volume of the user where the spec names one. */
export const userVolumeMount = (name: string | undefined, mountPath: string): Mount[] =>
  name === undefined ? [] : [readOnly(name, mountPath)];

/** In the containers, where tools that run as root look for credentials. */
const AUTH_FOLDER = '/root/.docker';
export const AUTH_FILE = `${AUTH_FOLDER}/config.json`;

/** For steps that pull or push. */
export const registryMounts = (build: Build): Mount[] => [
  ...(hasCredentials(build) ? [readOnly('image-credentials', AUTH_FILE, CREDENTIALS_KEY)] : []),
  ...userVolumeMount(build.userVolumes.caCertificates, CERTIFICATES),
];

/** Where the tool finds credentials and certificate authorities. */
export const registryEnv = (build: Build): NamedObject[] => [
  ...(hasCredentials(build) ? [{ name: 'DOCKER_CONFIG', value: AUTH_FOLDER }] : []),
  ...(build.userVolumes.caCertificates === undefined
    ? []
    : [{ name: 'SSL_CERT_DIR', value: `/etc/ssl/certs:${CERTIFICATES}` }]),
];
