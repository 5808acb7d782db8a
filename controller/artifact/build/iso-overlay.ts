/** What is added to ISO images and disks beside the system. */
import type { Build } from './build.js';
import type { Mount } from './container.js';
import { copyVolume } from './scripts/copy-volume.js';
import { flag } from './scripts/shell.js';
import type { WorkFolder } from './scripts/work-folder.js';
import { userVolumeMount } from './volumes.js';

export const cloudConfigFlag = (build: Build) =>
  flag('--cloud-config /cloud-config.yaml', build.cloudConfig !== undefined);

/** Path of the boot loader configuration among the files of an ISO image. */
const GRUB_FILE = 'boot/grub2/grub.cfg';

/** A folder to pass as overlay, and the commands that create it. */
export interface Overlay {
  commands: readonly string[];
  folder?: string;
}

const USER_FOLDERS = { iso: '/overlay-iso', rootfs: '/overlay-rootfs' } as const;

const overlayIn = (folder: string, commands: readonly string[]): Overlay =>
  commands.length === 0 ? { commands } : { commands: [`mkdir -p ${folder}`, ...commands], folder };

const copyOfUser = (volume: string | undefined, from: string, to: string) =>
  volume === undefined ? [] : copyVolume(from, to);

/** There can be only one such folder: the files of the user, and those that the operator adds (`extra`). */
export function isoOverlay(
  { userVolumes }: Build,
  work: WorkFolder,
  extra: (folder: string) => readonly string[],
): Overlay {
  const folder = `${work.path}/overlay-iso`;
  return overlayIn(folder, [...copyOfUser(userVolumes.overlayIso, USER_FOLDERS.iso, folder), ...extra(folder)]);
}

export function rootfsOverlay({ userVolumes }: Build, work: WorkFolder): Overlay {
  const folder = `${work.path}/overlay-rootfs`;
  return overlayIn(folder, copyOfUser(userVolumes.overlayRootfs, USER_FOLDERS.rootfs, folder));
}

export const isoOverlayMounts = ({ userVolumes }: Build): Mount[] =>
  userVolumeMount(userVolumes.overlayIso, USER_FOLDERS.iso);
export const rootfsOverlayMounts = ({ userVolumes }: Build): Mount[] =>
  userVolumeMount(userVolumes.overlayRootfs, USER_FOLDERS.rootfs);

export const copyGrubConfig =
  ({ grubConfig }: Build) =>
  (folder: string) =>
    grubConfig === undefined ? [] : [`install -D -m 0644 /grub.cfg ${folder}/${GRUB_FILE}`];

/** For a command of auroraboot that has no flag for the cloud-config: an ISO image carries it as one of its files. */
export const copyCloudConfig =
  ({ cloudConfig }: Build) =>
  (folder: string) =>
    cloudConfig === undefined ? [] : [`cp /cloud-config.yaml ${folder}/cloud_config.yaml`];
