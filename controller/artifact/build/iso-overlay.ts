/** What is added to ISO images and disks beside the system. */
import type { Build } from './build.js';
import { flag } from './scripts/shell.js';

export const cloudConfigFlag = (build: Build) =>
  flag('--cloud-config /cloud-config.yaml', build.cloudConfig !== undefined);

/** Path of the boot loader configuration among the files of an ISO image. */
const GRUB_FILE = 'boot/grub2/grub.cfg';

/**
 * The folder to pass as overlay, and the commands that prepare it. There can be only one such folder: where both the user and the operator
 * (`extraCommands`) add files, they are collected in a temporary one.
 */
export function isoOverlay(
  { userVolumes }: Build,
  extraCommands: readonly string[],
): { commands: readonly string[]; folder?: string } {
  const hasUserFiles = userVolumes.overlayIso !== undefined;
  if (extraCommands.length === 0) return { commands: [], folder: hasUserFiles ? '/overlay-iso' : undefined };
  const copy = hasUserFiles ? ['cp -a /overlay-iso/. /tmp/overlay/'] : [];
  return { commands: ['mkdir -p /tmp/overlay', ...copy, ...extraCommands], folder: '/tmp/overlay' };
}

export const copyGrubConfig = ({ grubConfig }: Build) =>
  grubConfig === undefined ? [] : [`install -D -m 0644 /grub.cfg /tmp/overlay/${GRUB_FILE}`];

/** For a command of auroraboot that has no flag for the cloud-config: an ISO image carries it as one of its files. */
export const copyCloudConfig = ({ cloudConfig }: Build) =>
  cloudConfig === undefined ? [] : ['cp /cloud-config.yaml /tmp/overlay/cloud_config.yaml'];
