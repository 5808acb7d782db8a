/** From an image to a root file system: unpack one that is ready, or build one; then put over it what was asked for. */
import { inStepWorkdir } from './step-workdir.js';
import { type Build, isContent } from './build.js';
import type { Step } from './container.js';
import { flag, inOrder, line, option, word } from './shell.js';
import {
  AUTH_FILE,
  artifactsMount,
  CERTIFICATES,
  CONFIG_FOLDER,
  CONFIG_KEYS,
  configFolder,
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

export function imageStage(build: Build, kairosInit: string): Step[] {
  const { source } = build;
  const first = source.is === 'image' ? unpackReady(source.ref, build) : buildImage(build, kairosInit);
  if (!makesArtifacts(build)) return [first];
  const extract = source.is === 'image' ? [] : [extractor(build)];
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

function unpackReady(ref: string, build: Build): Step {
  const tar = word(`${build.object}.tar`);
  const check = `{ [ -e /rootfs/etc/kairos-release ] || [ -L /rootfs/etc/kairos-release ] || { echo '${NOT_KAIROS}' > /dev/termination-log; exit 1; }; }`;
  return {
    name: 'pull-image-baseimage',
    runs: 'tool',
    makes: [`${build.object}.tar`],
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
    ['KAIROS_INIT_IMAGE', options.kairosInitImage || kairosInit],
    ['TRUSTED_BOOT', options.trustedBoot ? 'true' : undefined],
    ['FIPS', options.fips ? 'fips' : undefined],
  ];
  return given.flatMap(([name, value]) => option('--build-arg', value ? `${name}=${value}` : undefined));
}

function buildImage(build: Build, kairosInit: string): Step {
  const { object, insecurePull, insecurePush, arch, uses, target, push } = build;
  const image = word(`localhost/${object}:latest`);
  const file = `${object}.tar`;
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
  /* An archive that is there already would not be written over. */
  const pack = (own: string) => line('buildah push', ...access, image, word(`docker-archive:${own}/${file}`));
  const upload = target && word(`docker://${target.registry}/${target.repository}:${target.tag}`);
  const pushed =
    push && upload ? [line('buildah push', ...access, ...flag('--tls-verify=false', insecurePush), image, upload)] : [];
  return {
    name: 'buildah-build',
    runs: 'buildah',
    makes: [file],
    script: inStepWorkdir(build, 'buildah-build', own => [
      'mkdir -p /workspace',
      bud,
      pack(own),
      ...pushed,
      `mv ${own}/${word(file)} /artifacts/`,
    ]),
    mounts: [
      definitionMount,
      artifactsMount(build),
      ...usedMount(uses.context, '/workspace'),
      ...registryMounts(build),
    ],
    env: [{ name: 'BUILDAH_ISOLATION', value: 'chroot' }, { name: 'STORAGE_DRIVER', value: 'vfs' }, ...build.env],
  };
}

const extractor = (build: Build): Step => ({
  name: 'image-extractor',
  runs: 'tool',
  script: line('auroraboot unpack', ...archOf(build), word(`ocifile:/artifacts/${build.object}.tar`), '/rootfs'),
  mounts: [ROOTFS, artifactsMount(build)],
});

const unpackBundle = (bundle: string, index: number, build: Build): Step => ({
  name: `pull-image-${index}`,
  runs: 'tool',
  script: line('auroraboot unpack', ...archOf(build), ...insecure(build), word(bundle), '/rootfs'),
  mounts: [ROOTFS, ...registryMounts(build)],
  env: registryEnv(build),
});

/** The file behind a link of the root file system: there a link may begin at the root, and that is not ours. */
const followed = (file: string, below: string) =>
  inOrder(
    `file=${below}${file}`,
    'link=$(readlink "$file" || true)',
    `case "$link" in /*) file=${below}$link ;; ?*) file=${below}/etc/$link ;; esac`,
  );

/** A file as it was given, in the place of whatever was there; or one line of it. */
function release(key: string, text: string, variable: string): Step {
  const [file, given] = [`/etc/${key}`, `${CONFIG_FOLDER}/${key}`];
  const whole = [`rm -f /rootfs${file}`, `cat ${given} > /rootfs${file}`];
  /* The last line may lack its end. */
  const oneLine = [
    followed(file, '/rootfs'),
    'touch "$file"',
    `sed -i -e '/^${variable}=/d' -e '$a\\' "$file"`,
    `cat ${given} >> "$file"`,
  ];
  const script = inOrder('mkdir -p /rootfs/etc', ...(isContent(text) ? whole : oneLine));
  return { name: key, runs: 'tool', script, mounts: [ROOTFS, configFolder] };
}

const releases = ({ osRelease, kairosRelease }: Build): Step[] => [
  ...(osRelease === undefined ? [] : [release(CONFIG_KEYS.os, osRelease, 'VERSION')]),
  ...(kairosRelease === undefined ? [] : [release(CONFIG_KEYS.kairos, kairosRelease, 'KAIROS_VERSION')]),
];
