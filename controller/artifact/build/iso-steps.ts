/** ISO images, and the files for booting over the network, which are extracted from one. */
import type { Build } from './build.js';
import { cloudConfigFlag, copyGrubConfig, isoOverlay } from './iso-overlay.js';
import { filesOf, type KindStepBuilder } from './kind-step-builder.js';
import { line, option, word } from './scripts/shell.js';
import { artifactsMount, cloudConfigMounts, CONFIG_KEYS, configMount, ROOTFS, userVolumeMount } from './volumes.js';

const isoFile = ({ names }: Build) => `${names.iso}.iso`;

export const isoStep: KindStepBuilder = (_output, build) => {
  const { userVolumes, arch, names, grubConfig } = build;
  const overlay = isoOverlay(build, copyGrubConfig(build));
  const command = (folder: string) =>
    line(
      'auroraboot --debug build-iso',
      ...option('--override-name', names.iso),
      `--date=false --output ${folder}`,
      ...option('--arch', arch),
      ...option('--overlay-iso', overlay.folder),
      ...option('--overlay-rootfs', userVolumes.overlayRootfs === undefined ? undefined : '/overlay-rootfs'),
      ...cloudConfigFlag(build),
      'dir:/rootfs',
    );
  return {
    /* Only the image is moved: auroraboot leaves the cloud-config, with the passwords in it, beside it. */
    commands: folder => [...overlay.commands, command(folder), `mv ${folder}/${word(isoFile(build))} /artifacts/`],
    mounts: [
      ROOTFS,
      artifactsMount(build),
      ...userVolumeMount(userVolumes.overlayIso, '/overlay-iso'),
      ...userVolumeMount(userVolumes.overlayRootfs, '/overlay-rootfs'),
      ...(grubConfig === undefined ? [] : [configMount(CONFIG_KEYS.grub, '/grub.cfg')]),
      ...cloudConfigMounts(build),
    ],
  };
};

export const netbootStep: KindStepBuilder = (output, build) => ({
  commands: folder => [
    line('auroraboot --debug netboot', word(`/artifacts/${isoFile(build)}`), folder, word(build.names.netboot)),
    line('mv', ...filesOf(output, build).map(file => `${folder}/${word(file)}`), '/artifacts/'),
  ],
  mounts: [artifactsMount(build)],
  env: build.netbootUrl === undefined ? [] : [{ name: 'URL', value: build.netbootUrl }],
});
