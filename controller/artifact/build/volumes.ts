/** Which volumes a build has, and where they are mounted. */
import type { Named } from '../../../api/passthrough.js';
import { type Build, isContent } from './build.js';
import type { Mount } from './container.js';
import type { Names } from './object-names.js';

export const CONFIG_KEYS = { grub: 'grub.cfg', os: 'os-release', kairos: 'kairos-release' } as const;

/** Entries of the rendered Secret. */
export const DEFINITION_KEY = 'ociSpec';
export const CREDENTIALS_KEY = 'config.json';

/** The name that the user's own volume to build in has already. */
const placeName = ({ place }: Build) => (place.is === 'volume' ? place.name : 'artifacts');

export const hasConfig = ({ grubConfig, osRelease, kairosRelease }: Build): boolean =>
  [grubConfig, osRelease, kairosRelease].some(text => text !== undefined);

export const hasCredentials = ({ credentials, pullSecrets }: Build): boolean =>
  credentials !== undefined || pullSecrets.length > 0;

export const needsSecret = (build: Build): boolean => build.source.is === 'definition' || hasCredentials(build);

/** Within double quotes, as os-release(5) wants it. */
const quoted = (text: string) => text.replaceAll(/["$`\\]/g, String.raw`\$&`);

/** Content of the ConfigMap. A bare version becomes the line that says it. */
export function configOf({ grubConfig, osRelease, kairosRelease }: Build): Record<string, string> {
  const release = (text: string, key: string) => (isContent(text) ? text : `${key}="${quoted(text)}"\n`);
  return {
    ...(grubConfig === undefined ? {} : { [CONFIG_KEYS.grub]: grubConfig }),
    ...(osRelease === undefined ? {} : { [CONFIG_KEYS.os]: release(osRelease, 'VERSION') }),
    ...(kairosRelease === undefined ? {} : { [CONFIG_KEYS.kairos]: release(kairosRelease, 'KAIROS_VERSION') }),
  };
}

const secretVolume = (name: string, secretName: string, items: object[]): Named => ({
  name,
  secret: { secretName, items },
});

const item = (key: string, path = key) => ({ key, path });

export function volumesOf(build: Build, names: Names): Named[] {
  const { source, cloudConfig, place } = build;
  return [
    ...(place.is === 'claim' ? [{ name: 'artifacts', persistentVolumeClaim: { claimName: names.claim } }] : []),
    { name: 'rootfs', emptyDir: {} },
    ...(hasConfig(build) ? [{ name: 'config', configMap: { name: names.config } }] : []),
    ...(source.is === 'definition' ? [secretVolume('ocispec', names.secret, [item(DEFINITION_KEY)])] : []),
    ...(hasCredentials(build) ? [secretVolume('image-credentials', names.secret, [item(CREDENTIALS_KEY)])] : []),
    ...(cloudConfig
      ? [secretVolume('cloudconfig', cloudConfig.name, [item(cloudConfig.key, 'cloud-config.yaml')])]
      : []),
    ...build.volumes,
  ];
}

/** The volume `artifacts` of an exporter: what was built, to be read. */
export function builtVolume(build: Build, names: Names): Named {
  const { place } = build;
  if (place.is === 'claim')
    return { name: 'artifacts', persistentVolumeClaim: { claimName: names.claim, readOnly: true } };
  return { ...build.volumes.find(volume => volume.name === place.name), name: 'artifacts' };
}

export const artifactsMount = (build: Build): Mount => ({ name: placeName(build), mountPath: '/artifacts' });
export const ROOTFS: Mount = { name: 'rootfs', mountPath: '/rootfs' };

const readOnly = (name: string, mountPath: string, subPath?: string): Mount => ({
  name,
  mountPath,
  ...(subPath === undefined ? {} : { subPath }),
  readOnly: true,
});

/** In the tool's image there are files, and links, where a configuration will stand: it is mounted apart from them. */
export const CONFIG_FOLDER = '/config';
export const configFolder: Mount = readOnly('config', CONFIG_FOLDER);
export const configMount = (key: string, mountPath: string): Mount => readOnly('config', mountPath, key);
export const cloudConfigMounts = ({ cloudConfig }: Build): Mount[] =>
  cloudConfig ? [readOnly('cloudconfig', '/cloud-config.yaml', 'cloud-config.yaml')] : [];
export const definitionMount: Mount = readOnly('ocispec', '/ocispec');

export const CERTIFICATES = '/etc/ssl/buildah/certs';

/** A volume of the user's where there is one. */
export const usedMount = (name: string | undefined, mountPath: string): Mount[] =>
  name === undefined ? [] : [readOnly(name, mountPath)];

/** In the containers, where tools that run as root look for credentials. */
const AUTH_FOLDER = '/root/.docker';
export const AUTH_FILE = `${AUTH_FOLDER}/config.json`;

/** For whatever pulls or pushes. */
export const registryMounts = (build: Build): Mount[] => [
  ...(hasCredentials(build) ? [readOnly('image-credentials', AUTH_FILE, CREDENTIALS_KEY)] : []),
  ...usedMount(build.uses.caCertificates, CERTIFICATES),
];

/** Where the tool finds credentials and authorities. */
export const registryEnv = (build: Build): Named[] => [
  ...(hasCredentials(build) ? [{ name: 'DOCKER_CONFIG', value: AUTH_FOLDER }] : []),
  ...(build.uses.caCertificates === undefined
    ? []
    : [{ name: 'SSL_CERT_DIR', value: `/etc/ssl/certs:${CERTIFICATES}` }]),
];
