/** From a root file system to media, disks and files: one step for each kind, in this order. */
import type { Output } from '../../api/os-artifact.js';
import type { Build } from './build.js';
import type { Step } from './container.js';
import { flag, inOrder, line, option, word } from './shell.js';
import { artifactsMount, cloudConfigMounts, CONFIG_KEYS, configMount, ROOTFS, usedMount } from './volumes.js';

const CLOUD_CONFIG = '--cloud-config /cloud-config.yaml';

export function outputSteps(build: Build): Step[] {
  const { outputs } = build;
  return [
    ...ukiSteps(build),
    /* The files for the network come out of a medium. */
    ...(outputs.iso || outputs.netboot ? [isoStep(build)] : []),
    ...(outputs.netboot ? [netbootStep(build)] : []),
    ...DISKS.filter(({ output }) => outputs[output]).map(disk => diskStep(disk, build)),
  ];
}

const cloudConfig = (build: Build) => flag(CLOUD_CONFIG, build.cloudConfig !== undefined);

const UKI = [
  { kind: 'iso', name: 'iso', type: 'iso' },
  { kind: 'container', name: 'container', type: 'container' },
  { kind: 'efi', name: 'uki', type: 'uki' },
] as const;

const ukiSteps = (build: Build): Step[] =>
  UKI.filter(({ kind }) => build.uki[kind]).map(({ name, type }) => ({
    name: `build-uki-${name}`,
    runs: 'tool',
    script: line(
      'auroraboot --debug build-uki',
      ...option('--name', `${build.names.uki}-uki`),
      `--output-dir /artifacts --output-type ${type} --public-keys /uki-keys`,
      '--tpm-pcr-private-key /uki-keys/tpm2-pcr-private.pem --sb-key /uki-keys/db.key --sb-cert /uki-keys/db.pem',
      ...cloudConfig(build),
      'dir:/rootfs',
    ),
    mounts: [ROOTFS, artifactsMount(build), ...usedMount(build.uses.keys, '/uki-keys'), ...cloudConfigMounts(build)],
    privileged: true,
    output: 'uki',
    makes: [`${build.names.uki}-uki*`],
  }));

/** Where a configuration of the boot loader lies among the files put on media. */
const GRUB_FILE = 'boot/grub2/grub.cfg';

/** The user's files and ours may both be wanted: they are brought together, for there is one such folder. */
function overlayOf({ uses, grubConfig }: Build): { before: string[]; folder?: string } {
  if (grubConfig === undefined)
    return { before: [], folder: uses.overlayIso === undefined ? undefined : '/overlay-iso' };
  const copy = uses.overlayIso === undefined ? [] : ['cp -a /overlay-iso/. /tmp/overlay/'];
  return {
    before: ['mkdir -p /tmp/overlay', ...copy, `install -D -m 0644 /grub.cfg /tmp/overlay/${GRUB_FILE}`],
    folder: '/tmp/overlay',
  };
}

function isoStep(build: Build): Step {
  const { uses, arch, names, grubConfig } = build;
  const { before, folder } = overlayOf(build);
  const command = line(
    'auroraboot --debug build-iso',
    ...option('--override-name', names.iso),
    '--date=false --output /artifacts',
    ...option('--arch', arch),
    ...option('--overlay-iso', folder),
    ...option('--overlay-rootfs', uses.overlayRootfs === undefined ? undefined : '/overlay-rootfs'),
    ...cloudConfig(build),
    'dir:/rootfs',
  );
  return {
    name: 'build-iso',
    runs: 'tool',
    script: inOrder(...before, command),
    mounts: [
      ROOTFS,
      artifactsMount(build),
      ...usedMount(uses.overlayIso, '/overlay-iso'),
      ...usedMount(uses.overlayRootfs, '/overlay-rootfs'),
      ...(grubConfig === undefined ? [] : [configMount(CONFIG_KEYS.grub, '/grub.cfg')]),
      ...cloudConfigMounts(build),
    ],
    privileged: true,
    output: 'iso',
    makes: [`${names.iso}.iso`],
  };
}

const netbootStep = (build: Build): Step => ({
  name: 'build-netboot',
  runs: 'tool',
  script: line(
    'auroraboot --debug netboot',
    word(`/artifacts/${build.names.iso}.iso`),
    '/artifacts',
    word(build.names.netboot),
  ),
  mounts: [artifactsMount(build)],
  env: build.netbootUrl === undefined ? [] : [{ name: 'URL', value: build.netbootUrl }],
  privileged: true,
  output: 'netboot',
  makes: ['.squashfs', '-kernel', '-initrd'].map(ending => build.names.netboot + ending),
});

interface Disk {
  output: Extract<Output, 'cloudImage' | 'azureImage' | 'gceImage'>;
  step: string;
  /** What auroraboot calls it. */
  form: string;
  ending: string;
}

const DISKS: readonly Disk[] = [
  { output: 'cloudImage', step: 'build-cloud-image', form: 'disk.raw', ending: 'raw' },
  { output: 'azureImage', step: 'build-azure-cloud-image', form: 'disk.vhd', ending: 'vhd' },
  { output: 'gceImage', step: 'build-gce-cloud-image', form: 'disk.gce', ending: 'gce.tar.gz' },
];

/** In a folder of its own: two kinds of disks must not take each other's files. */
function diskStep({ output, step, form, ending }: Disk, build: Build): Step {
  const { arch, diskSize, names } = build;
  const folder = `/artifacts/.${step}`;
  const found = ending === 'gce.tar.gz' ? `${folder}/*.raw.gce.tar.gz` : `${folder}/*.${ending}`;
  const set = (setting: string) => ['--set', `'${setting}'`];
  return {
    name: step,
    runs: 'tool',
    script: inOrder(
      `rm -rf ${folder}`,
      `mkdir -p ${folder}`,
      line(
        'auroraboot --debug',
        ...[`${form}=true`, 'disable_netboot=true', 'disable_http_server=true', `state_dir=${folder}`].flatMap(set),
        ...set('container_image=dir:/rootfs'),
        ...(arch === undefined ? [] : set(`arch=${arch}`)),
        ...(diskSize === undefined ? [] : set(`disk.size=${diskSize}`)),
        ...cloudConfig(build),
      ),
      `file=$(ls ${found} 2>/dev/null | head -n1)`,
      '[ -n "$file" ]',
      `mv "$file" ${word(`/artifacts/${names[output]}.${ending}`)}`,
      `rm -rf ${folder}`,
    ),
    mounts: [ROOTFS, artifactsMount(build), ...cloudConfigMounts(build)],
    privileged: true,
    output,
    makes: [`${names[output]}.${ending}`],
  };
}
