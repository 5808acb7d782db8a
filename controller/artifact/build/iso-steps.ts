/** ISO images, and the files for booting over the network, which are extracted from one. */
import type { Build } from './build.js';
import {
  cloudConfigFlag,
  copyGrubConfig,
  isoOverlay,
  isoOverlayMounts,
  rootfsOverlay,
  rootfsOverlayMounts,
} from './iso-overlay.js';
import { filesOf, type KindStepBuilder } from './kind-step-builder.js';
import { ipxeScript } from './scripts/ipxe-script.js';
import { line, option, word } from './scripts/shell.js';
import { SCRATCH_FOLDER, type WorkFolder } from './scripts/work-folder.js';
import { artifactsMount, cloudConfigMounts, CONFIG_KEYS, configMount, ROOTFS } from './volumes.js';

const isoFile = ({ names }: Build) => `${names.iso}.iso`;

/** An ISO image that was not requested is no result: it stays where the steps work. */
const intermediateIso = `${SCRATCH_FOLDER}/intermediate.iso`;
const isIntermediate = ({ outputs }: Build) =>
  outputs.some(({ kind, isSource }) => kind === 'iso' && isSource === true);

/** The checksum has the format of `sha256sum -c`. */
const publishIso = (build: Build, { path, publish }: WorkFolder): string[] => {
  const file = isoFile(build);
  const [iso, checksum] = [`${path}/${word(file)}`, `${path}/iso.sha256`];
  if (isIntermediate(build)) return [`mv ${iso} ${intermediateIso}`];
  return [
    `(cd ${path} && sha256sum ${word(file)}) > ${checksum}`,
    ...publish(iso, file),
    ...publish(checksum, `${file}.sha256`),
  ];
};

export const isoStep: KindStepBuilder = (_output, build) => {
  const { arch, names, grubConfig } = build;
  const command = (folder: string, overlayIso?: string, overlayRootfs?: string) =>
    line(
      'auroraboot --debug build-iso',
      ...option('--override-name', names.iso),
      `--date=false --output ${folder}`,
      ...option('--arch', arch),
      ...option('--overlay-iso', overlayIso),
      ...option('--overlay-rootfs', overlayRootfs),
      ...cloudConfigFlag(build),
      'dir:/rootfs',
    );
  return {
    /* Only the image is published: auroraboot leaves the cloud-config, with the passwords in it, beside it. */
    commands: work => {
      const iso = isoOverlay(build, work, copyGrubConfig(build));
      const rootfs = rootfsOverlay(build, work);
      const make = command(work.path, iso.folder, rootfs.folder);
      return [...iso.commands, ...rootfs.commands, make, ...publishIso(build, work)];
    },
    mounts: [
      ROOTFS,
      artifactsMount(build),
      ...isoOverlayMounts(build),
      ...rootfsOverlayMounts(build),
      ...(grubConfig === undefined ? [] : [configMount(CONFIG_KEYS.grub, '/grub.cfg')]),
      ...cloudConfigMounts(build),
    ],
  };
};

export const netbootStep: KindStepBuilder = (output, build) => {
  const { netbootUrl, names } = build;
  const iso = isIntermediate(build) ? intermediateIso : word(`/artifacts/${isoFile(build)}`);
  const files = filesOf(output, build);
  const script = `${names.netboot}.ipxe`;
  const ipxe = netbootUrl === undefined ? undefined : ipxeScript(netbootUrl, names.netboot);
  return {
    commands: ({ path, publish }) => [
      line('auroraboot --debug netboot', iso, path, word(names.netboot)),
      ...files.flatMap(file => publish(`${path}/${word(file)}`, file)),
      ...(ipxe === undefined
        ? []
        : [`printf '%s' ${word(ipxe)} > ${path}/${word(script)}`, ...publish(`${path}/${word(script)}`, script)]),
      ...(isIntermediate(build) ? [`rm ${iso}`] : []),
    ],
    mounts: [artifactsMount(build)],
    env: netbootUrl === undefined ? [] : [{ name: 'URL', value: netbootUrl }],
    moreFiles: ipxe === undefined ? [] : [script],
  };
};
