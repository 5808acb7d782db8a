/** From an image to a root file system: unpack one that is ready, or build one; then put over it what was asked for. */
import { type Build, isContent } from './build.js';
import type { Step } from './container.js';
import { flag, inOrder, line, option, word } from './shell.js';
import {
  AUTH_FILE,
  artifactsMount,
  CERTIFICATES,
  CONFIG_KEYS,
  configMount,
  DEFINITION_KEY,
  definitionMount,
  hasCredentials,
  registryEnv,
  registryMounts,
  ROOTFS,
  usedMount,
} from './volumes.js';

/** Is anything made of the image, beside the image itself? */
export const makesArtifacts = ({ outputs, uki }: Build): boolean =>
  [...Object.values(outputs), ...Object.values(uki)].some(Boolean);

export function imageStage(artifact: string, build: Build, kairosInit: string): Step[] {
  const { source } = build;
  const first =
    source.is === 'image' ? unpackReady(artifact, source.ref, build) : buildImage(artifact, build, kairosInit);
  if (!makesArtifacts(build)) return [first];
  const extract = source.is === 'image' ? [] : [extractor(artifact, build)];
  return [
    first,
    ...extract,
    ...build.bundles.map((bundle, index) => unpackBundle(bundle, index, build)),
    ...releases(build),
  ];
}

const archOf = ({ arch }: Build) => option('--arch', arch);
const insecure = ({ insecurePull }: Build) => flag('--allow-insecure-registries', insecurePull);

const NOT_KAIROS =
  'the image has no /etc/kairos-release: it is not a Kairos image. Name it in baseImageName (or image.buildOptions.baseImage) to make one of it';

function unpackReady(artifact: string, ref: string, build: Build): Step {
  const tar = word(`${artifact}.tar`);
  const check = `{ [ -e /rootfs/etc/kairos-release ] || { echo '${NOT_KAIROS}' > /dev/termination-log; exit 1; }; }`;
  return {
    name: 'pull-image-baseimage',
    runs: 'tool',
    makes: [`${artifact}.tar`],
    script: inOrder(
      line('auroraboot', 'unpack', ...archOf(build), ...insecure(build), word(ref), '/rootfs'),
      check,
      'tar -czvpf test.tar -C /rootfs .',
      line(
        'luet util pack',
        ...archOf(build),
        ...flag('--os linux', build.arch !== undefined),
        word(ref),
        'test.tar',
        tar,
      ),
      `chmod +r ${tar}`,
      `mv ${tar} /artifacts`,
    ),
    mounts: [ROOTFS, artifactsMount(build), ...registryMounts(build)],
    env: registryEnv(build),
  };
}

/** In the order in which they are given to buildah; only those that are set. */
function buildArguments({ source }: Build, kairosInit: string): string[] {
  const options = source.is === 'definition' ? source.options : undefined;
  if (!options) return [];
  const given: [string, string | undefined][] = [
    ['VERSION', options.version],
    ['BASE_IMAGE', options.baseImage],
    ['MODEL', options.model],
    ['KUBERNETES_DISTRO', options.kubernetesDistro],
    ['KUBERNETES_VERSION', options.kubernetesVersion],
    ['KAIROS_INIT_IMAGE', options.kairosInitImage ?? kairosInit],
    ['TRUSTED_BOOT', options.trustedBoot ? 'true' : undefined],
    ['FIPS', options.fips ? 'fips' : undefined],
  ];
  return given.flatMap(([name, value]) => option('--build-arg', value === undefined ? undefined : `${name}=${value}`));
}

function buildImage(artifact: string, build: Build, kairosInit: string): Step {
  const { insecurePull, insecurePush, arch, uses, target, push } = build;
  const image = word(`localhost/${artifact}:latest`);
  const access = [
    ...flag(`--authfile ${AUTH_FILE}`, hasCredentials(build)),
    ...flag(`--cert-dir ${CERTIFICATES}`, uses.caCertificates !== undefined),
  ];
  const bud = line(
    `buildah bud --layers=false -f /ocispec/${DEFINITION_KEY}`,
    ...access,
    ...flag('--tls-verify=false', insecurePull),
    ...option('--arch', arch),
    ...buildArguments(build, kairosInit),
    `-t ${image} /workspace`,
  );
  const pack = line('buildah push', ...access, image, word(`docker-archive:/artifacts/${artifact}.tar`));
  const upload = target && word(`docker://${target.registry}/${target.repository}:${target.tag}`);
  const pushed =
    push && upload ? [line('buildah push', ...access, ...flag('--tls-verify=false', insecurePush), image, upload)] : [];
  return {
    name: 'buildah-build',
    runs: 'buildah',
    makes: [`${artifact}.tar`],
    script: inOrder('mkdir -p /workspace', bud, pack, ...pushed),
    mounts: [
      definitionMount,
      artifactsMount(build),
      ...usedMount(uses.context, '/workspace'),
      ...registryMounts(build),
    ],
    env: [{ name: 'BUILDAH_ISOLATION', value: 'chroot' }, { name: 'STORAGE_DRIVER', value: 'vfs' }, ...build.env],
  };
}

const extractor = (artifact: string, build: Build): Step => ({
  name: 'image-extractor',
  runs: 'tool',
  script: line('auroraboot unpack', ...archOf(build), word(`ocifile:/artifacts/${artifact}.tar`), '/rootfs'),
  mounts: [ROOTFS, artifactsMount(build)],
});

const unpackBundle = (bundle: string, index: number, build: Build): Step => ({
  name: `pull-image-${index}`,
  runs: 'tool',
  script: line('auroraboot unpack', ...archOf(build), ...insecure(build), word(bundle), '/rootfs'),
  mounts: [ROOTFS, ...registryMounts(build)],
  env: registryEnv(build),
});

/** A file as it was given, or one line of it. */
function release(key: string, text: string, variable: string): Step {
  const file = `/etc/${key}`;
  const copied = `cp -rfv ${file} /rootfs${file}`;
  const set = inOrder(
    `touch /rootfs${file}`,
    `sed -i --follow-symlinks '/^${variable}=/d' /rootfs${file}`,
    `cat ${file} >> /rootfs${file}`,
  );
  return { name: key, runs: 'tool', script: isContent(text) ? copied : set, mounts: [ROOTFS, configMount(key, file)] };
}

const releases = ({ osRelease, kairosRelease }: Build): Step[] => [
  ...(osRelease === undefined ? [] : [release(CONFIG_KEYS.os, osRelease, 'VERSION')]),
  ...(kairosRelease === undefined ? [] : [release(CONFIG_KEYS.kairos, kairosRelease, 'KAIROS_VERSION')]),
];
