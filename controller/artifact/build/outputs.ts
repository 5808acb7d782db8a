/** From a root file system to media, disks and files: one step for each kind, in this order. */
import { inStepWorkdir } from './step-workdir.js';
import type { Build } from './build.js';
import type { Step } from './container.js';
import { diskSteps } from './disk-steps.js';
import { cloudConfig, grubCopy, overlayOf } from './overlay.js';
import { line, option, word } from './shell.js';
import { ukiSteps } from './uki-steps.js';
import { artifactsMount, cloudConfigMounts, CONFIG_KEYS, configMount, ROOTFS, usedMount } from './volumes.js';

export function outputSteps(build: Build): Step[] {
  const { outputs } = build;
  return [
    ...ukiSteps(build),
    /* The files for the network come out of a medium. */
    ...(outputs.iso || outputs.netboot ? [isoStep(build)] : []),
    ...(outputs.netboot ? [netbootStep(build)] : []),
    ...diskSteps(build),
  ];
}

function isoStep(build: Build): Step {
  const { uses, arch, names, grubConfig } = build;
  const { before, folder } = overlayOf(build, grubCopy(build));
  const file = `${names.iso}.iso`;
  const command = (own: string) =>
    line(
      'auroraboot --debug build-iso',
      ...option('--override-name', names.iso),
      `--date=false --output ${own}`,
      ...option('--arch', arch),
      ...option('--overlay-iso', folder),
      ...option('--overlay-rootfs', uses.overlayRootfs === undefined ? undefined : '/overlay-rootfs'),
      ...cloudConfig(build),
      'dir:/rootfs',
    );
  return {
    name: 'build-iso',
    runs: 'tool',
    /* Beside the medium the tool leaves the cloud-config, with the passwords in it. */
    script: inStepWorkdir(build, 'build-iso', own => [...before, command(own), `mv ${own}/${word(file)} /artifacts/`]),
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
    makes: [file],
  };
}

const NETBOOT_ENDINGS = ['.squashfs', '-kernel', '-initrd'];

const netbootStep = (build: Build): Step => ({
  name: 'build-netboot',
  runs: 'tool',
  script: inStepWorkdir(build, 'build-netboot', own => [
    line('auroraboot --debug netboot', word(`/artifacts/${build.names.iso}.iso`), own, word(build.names.netboot)),
    line('mv', ...NETBOOT_ENDINGS.map(ending => `${own}/${word(build.names.netboot + ending)}`), '/artifacts/'),
  ]),
  mounts: [artifactsMount(build)],
  env: build.netbootUrl === undefined ? [] : [{ name: 'URL', value: build.netbootUrl }],
  privileged: true,
  output: 'netboot',
  makes: NETBOOT_ENDINGS.map(ending => build.names.netboot + ending),
});
