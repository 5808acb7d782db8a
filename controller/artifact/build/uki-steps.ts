/** Unified kernel images: kernel, initrd and command line as one signed EFI program. */
import type { Build } from './build.js';
import type { Mount } from './container.js';
import { copyCloudConfig, isoOverlay } from './iso-overlay.js';
import { filesOf, type KindStepBuilder } from './kind-step-builder.js';
import { line, option } from './scripts/shell.js';
import { EXTRA_FILES_LIST } from './scripts/step-runner.js';
import { moveResult } from './scripts/work-folder.js';
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
  const overlay = isoOverlay(build, copyCloudConfig(build));
  const [file = ''] = filesOf(output, build);
  return {
    commands: folder => [
      ...overlay.commands,
      buildUki('iso', folder, build, overlay.folder),
      ...moveResult(`${folder}/*.iso`, file),
    ],
    mounts: [
      ...ukiMounts(build),
      ...userVolumeMount(build.userVolumes.overlayIso, '/overlay-iso'),
      ...cloudConfigMounts(build),
    ],
  };
};

/** auroraboot names the file after the release in the image, whatever name it is given. */
export const ukiContainerStep: KindStepBuilder = (output, build) => ({
  commands: folder => {
    const [file = ''] = filesOf(output, build);
    return [buildUki('container', folder, build), ...moveResult(`${folder}/*.tar`, file)];
  },
  mounts: ukiMounts(build),
});

/**
 * A whole EFI partition: boot loader, its configuration, keys to enroll. The files are listed by the step itself, since a user volume may already contain
 * another one.
 */
export const ukiFileStep: KindStepBuilder = (_output, build) => ({
  commands: folder => [
    buildUki('uki', folder, build),
    `(cd ${folder} && find EFI -type f) > ${EXTRA_FILES_LIST}`,
    `cp -r ${folder}/EFI ${folder}/loader /artifacts/`,
  ],
  mounts: ukiMounts(build),
});
