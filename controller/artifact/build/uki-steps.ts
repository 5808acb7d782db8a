/** Unified kernel images: kernel, initrd and command line as one signed EFI program. */
import type { Build } from './build.js';
import type { Mount } from './container.js';
import { copyCloudConfig, isoOverlay, isoOverlayMounts } from './iso-overlay.js';
import { filesOf, type KindStepBuilder } from './kind-step-builder.js';
import { line, option } from './scripts/shell.js';
import { EXTRA_FILES_LIST } from './scripts/step-runner.js';
import { publishResult } from './scripts/work-folder.js';
import { artifactsMount, cloudConfigMounts, ROOTFS, userVolumeMount } from './volumes.js';

/** `type`: the output type of auroraboot. */
const buildUki = (type: string, folder: string, { names }: Build, overlay?: string) =>
  line(
    'auroraboot --debug build-uki',
    ...option('--name', `${names.uki}-uki`),
    `--output-dir ${folder} --output-type ${type} --public-keys /uki-keys`,
    '--tpm-pcr-private-key /uki-keys/tpm2-pcr-private.pem --sb-key /uki-keys/db.key --sb-cert /uki-keys/db.pem',
    ...option('--overlay-iso', overlay),
    'dir:/rootfs',
  );

const ukiMounts = (build: Build): Mount[] => [
  ROOTFS,
  artifactsMount(build),
  ...userVolumeMount(build.userVolumes.keys, '/uki-keys'),
];

export const ukiIsoStep: KindStepBuilder = (output, build) => {
  const [file = ''] = filesOf(output, build);
  return {
    commands: work => {
      const overlay = isoOverlay(build, work, copyCloudConfig(build));
      return [
        ...overlay.commands,
        buildUki('iso', work.path, build, overlay.folder),
        ...publishResult(work, '*.iso', file),
      ];
    },
    mounts: [...ukiMounts(build), ...isoOverlayMounts(build), ...cloudConfigMounts(build)],
  };
};

/** auroraboot names the file after the release in the image, whatever name it is given. */
export const ukiContainerStep: KindStepBuilder = (output, build) => ({
  commands: work => {
    const [file = ''] = filesOf(output, build);
    return [buildUki('container', work.path, build), ...publishResult(work, '*.tar', file)];
  },
  mounts: ukiMounts(build),
});

/**
 * A whole EFI partition: boot loader, its configuration, keys to enroll. The files are listed by the step itself, since a user volume may already contain
 * another one.
 */
export const ukiFileStep: KindStepBuilder = (_output, build) => ({
  commands: ({ path }) => [
    buildUki('uki', path, build),
    `(cd ${path} && find EFI -type f) > ${EXTRA_FILES_LIST}`,
    `chmod -R a+rX ${path}/EFI ${path}/loader`,
    `cp -r ${path}/EFI ${path}/loader /artifacts/`,
  ],
  mounts: ukiMounts(build),
});
