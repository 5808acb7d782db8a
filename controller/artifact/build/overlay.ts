/** What goes onto media and disks beside the system. */
import type { Build } from './build.js';
import { flag } from './shell.js';

export const cloudConfig = (build: Build) => flag('--cloud-config /cloud-config.yaml', build.cloudConfig !== undefined);

/** Where a configuration of the boot loader lies among the files put on media. */
const GRUB_FILE = 'boot/grub2/grub.cfg';

/** The user's files and ours (`more`: commands that add them) may both be wanted: they are brought together, for there is one such folder. */
export function overlayOf({ uses }: Build, more: readonly string[]): { before: readonly string[]; folder?: string } {
  if (more.length === 0) return { before: [], folder: uses.overlayIso === undefined ? undefined : '/overlay-iso' };
  const copy = uses.overlayIso === undefined ? [] : ['cp -a /overlay-iso/. /tmp/overlay/'];
  return { before: ['mkdir -p /tmp/overlay', ...copy, ...more], folder: '/tmp/overlay' };
}

export const grubCopy = ({ grubConfig }: Build) =>
  grubConfig === undefined ? [] : [`install -D -m 0644 /grub.cfg /tmp/overlay/${GRUB_FILE}`];

/** For those that no flag brings it: a medium has it among its files. */
export const cloudConfigCopy = ({ cloudConfig: wanted }: Build) =>
  wanted === undefined ? [] : ['cp /cloud-config.yaml /tmp/overlay/cloud_config.yaml'];
