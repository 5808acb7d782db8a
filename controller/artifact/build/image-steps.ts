/** From a container image to a root file system: unpack or build the image, then unpack bundles and set release files over it. */
import { isContent } from '../../../api/artifact-values.js';
import type { Build } from './build.js';
import type { Step } from './container.js';
import { baseImage, imageSource, referenceOf } from './image-source.js';
import { replaceFile, setVariables } from './scripts/release-file.js';
import { REQUIRE_KAIROS } from './scripts/require-kairos.js';
import { flag, line, option, word } from './scripts/shell.js';
import { inWorkFolder } from './scripts/work-folder.js';
import {
  artifactsMount,
  AUTH_FILE,
  CERTIFICATES,
  CONFIG_FOLDER,
  CONFIG_KEYS,
  configFolder,
  DOCKERFILE_KEY,
  dockerfileMount,
  hasCredentials,
  RELEASE_VARIABLES,
  type ReleaseKey,
  registryEnv,
  registryMounts,
  ROOTFS,
  SCRATCH,
  userVolumeMount,
} from './volumes.js';

export function imageSteps(build: Build, kairosInit: string): Step[] {
  const { source, outputs, bundles } = build;
  const imageStep = source.is === 'image' ? unpackImage(source.ref, build) : buildImage(build, kairosInit);
  if (outputs.length === 0) return [imageStep];
  return [
    imageStep,
    ...(source.is === 'image' ? [] : [extractImage(build)]),
    ...bundles.map((bundle, index) => unpackBundle(bundle, index, build)),
    ...releaseSteps(build),
  ];
}

const archOption = ({ arch }: Build) => option('--arch', arch);
const insecureFlag = ({ insecurePull }: Build) => flag('--allow-insecure-registries', insecurePull);

/** The archive of the image itself is an artifact, too. */
const imageArchive = ({ artifactName }: Build) => `${artifactName}.tar`;

/** In the archive that luet writes, its last file. The images of other registries have no such name, and those in files have none. */
function nameInArchive(ref: string, folder: string, archive: string): string[] {
  const reference = referenceOf(ref);
  if (reference === undefined || reference.includes('@')) return [];
  const rename = word(`s|"RepoTags":\\[[^]]*\\]|"RepoTags":["${reference}"]|`);
  return [
    `tar -xOf ${archive} manifest.json | sed ${rename} > ${folder}/manifest.json`,
    `tar --delete -f ${archive} manifest.json`,
    `tar -rf ${archive} -C ${folder} manifest.json`,
  ];
}

function unpackImage(ref: string, build: Build): Step {
  const { arch, artifactName } = build;
  const script = inWorkFolder(build, 'pull-image-baseimage', ({ path, publish }) => {
    const [layer, archive] = [`${path}/layer.tar`, `${path}/image.tar`];
    const platform = [...archOption(build), ...flag('--os linux', arch !== undefined)];
    return [
      line('auroraboot', 'unpack', ...archOption(build), ...insecureFlag(build), word(imageSource(ref)), '/rootfs'),
      REQUIRE_KAIROS,
      `tar -czpf ${layer} -C /rootfs .`,
      /* luet refuses a name that is no reference, such as one with a scheme. */
      line('luet util pack', ...platform, word(artifactName), layer, archive),
      ...nameInArchive(ref, path, archive),
      ...publish(archive, imageArchive(build)),
    ];
  });
  return {
    name: 'pull-image-baseimage',
    runs: 'tool',
    files: [imageArchive(build)],
    script,
    mounts: [ROOTFS, SCRATCH, artifactsMount(build), ...registryMounts(build)],
    env: registryEnv(build),
  };
}

/** Build arguments of the conversion into a Kairos system; only those that are set. */
function buildArguments({ source }: Build, kairosInit: string): string[] {
  const options = source.is === 'dockerfile' ? source.options : undefined;
  if (!options) return [];
  const values: [string, string | undefined][] = [
    ['VERSION', options.version],
    ['BASE_IMAGE', baseImage(options.baseImage)],
    ['MODEL', options.model],
    ['KUBERNETES_DISTRO', options.kubernetesDistro],
    ['KUBERNETES_VERSION', options.kubernetesVersion],
    ['KAIROS_INIT_IMAGE', baseImage(options.kairosInitImage || kairosInit)],
    ['TRUSTED_BOOT', options.trustedBoot ? 'true' : undefined],
    ['FIPS', options.fips ? 'fips' : undefined],
  ];
  return values.flatMap(([name, value]) => option('--build-arg', value ? `${name}=${value}` : undefined));
}

/** Commands of buildah: build the image, write its archive into `folder`, push it where the spec requests that. */
function buildahCommands(build: Build, kairosInit: string, folder: string): string[] {
  const { artifactName, insecurePull, insecurePush, arch, userVolumes, target, push } = build;
  const image = word(`localhost/${artifactName}:latest`);
  const access = [
    ...flag(`--authfile ${AUTH_FILE}`, hasCredentials(build)),
    ...flag(`--cert-dir ${CERTIFICATES}`, userVolumes.caCertificates !== undefined),
  ];
  const bud = line(
    `buildah bud --layers=false -f /ocispec/${DOCKERFILE_KEY}`,
    ...access,
    ...flag('--tls-verify=false', insecurePull),
    ...option('--arch', arch),
    ...buildArguments(build, kairosInit),
    `-t ${image} /workspace`,
  );
  const archive = line('buildah push', ...access, image, `docker-archive:${folder}/image.tar`);
  const remote = target && word(`docker://${target.registry}/${target.repository}:${target.tag}`);
  const upload = remote && line('buildah push', ...access, ...flag('--tls-verify=false', insecurePush), image, remote);
  return [bud, archive, ...(push && upload ? [upload] : [])];
}

function buildImage(build: Build, kairosInit: string): Step {
  const { userVolumes, env } = build;
  const archive = imageArchive(build);
  return {
    name: 'buildah-build',
    runs: 'buildah',
    files: [archive],
    script: inWorkFolder(build, 'buildah-build', ({ path, publish }) => [
      'mkdir -p /workspace',
      ...buildahCommands(build, kairosInit, path),
      ...publish(`${path}/image.tar`, archive),
    ]),
    mounts: [
      dockerfileMount,
      SCRATCH,
      artifactsMount(build),
      ...userVolumeMount(userVolumes.context, '/workspace'),
      ...registryMounts(build),
    ],
    env: [{ name: 'BUILDAH_ISOLATION', value: 'chroot' }, { name: 'STORAGE_DRIVER', value: 'vfs' }, ...env],
  };
}

const extractImage = (build: Build): Step => ({
  name: 'image-extractor',
  runs: 'tool',
  script: line('auroraboot unpack', ...archOption(build), word(`ocifile:/artifacts/${imageArchive(build)}`), '/rootfs'),
  mounts: [ROOTFS, artifactsMount(build)],
});

const unpackBundle = (bundle: string, index: number, build: Build): Step => ({
  name: `pull-image-${index}`,
  runs: 'tool',
  script: line('auroraboot unpack', ...archOption(build), ...insecureFlag(build), word(imageSource(bundle)), '/rootfs'),
  mounts: [ROOTFS, ...registryMounts(build)],
  env: registryEnv(build),
});

/** A text with several lines or assignments replaces the release file; a bare version sets `variables` in it. */
function releaseStep(key: ReleaseKey, text: string): Step {
  const [file, source] = [`/etc/${key}`, `${CONFIG_FOLDER}/${key}`];
  const script = isContent(text) ? replaceFile(file, source) : setVariables(file, source, RELEASE_VARIABLES[key]);
  return { name: key, runs: 'tool', script, mounts: [ROOTFS, configFolder] };
}

const releaseSteps = ({ osRelease, kairosRelease }: Build): Step[] => [
  ...(osRelease === undefined ? [] : [releaseStep(CONFIG_KEYS.os, osRelease)]),
  ...(kairosRelease === undefined ? [] : [releaseStep(CONFIG_KEYS.kairos, kairosRelease)]),
];
