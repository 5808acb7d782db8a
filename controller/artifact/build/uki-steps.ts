/** Unified kernel images: kernel, initrd and command line as one signed program. */
import { inStepWorkdir, takeOut } from './step-workdir.js';
import type { Build } from './build.js';
import { MADE_TOO, type Step } from './container.js';
import { cloudConfigCopy, overlayOf } from './overlay.js';
import { line, option } from './shell.js';
import { artifactsMount, cloudConfigMounts, ROOTFS, usedMount } from './volumes.js';

interface Uki {
  kind: keyof Build['uki'];
  step: string;
  /** What auroraboot calls it. */
  type: string;
  /** `name`: without an ending. */
  takes: (folder: string, name: string) => readonly string[];
  makes: (name: string) => readonly string[];
}

const UKI: readonly Uki[] = [
  {
    kind: 'iso',
    step: 'build-uki-iso',
    type: 'iso',
    takes: (folder, name) => takeOut(`${folder}/*.iso`, `${name}.iso`),
    makes: name => [`${name}.iso`],
  },
  {
    kind: 'container',
    step: 'build-uki-container',
    type: 'container',
    /* Named after what is in it, whatever name is asked for. */
    takes: (folder, name) => takeOut(`${folder}/*.tar`, `${name}.tar`),
    makes: name => [`${name}.tar`],
  },
  {
    kind: 'efi',
    step: 'build-uki-uki',
    type: 'uki',
    /* A whole partition: boot loader, its settings, keys to enroll. In a volume of the user's there may be another. */
    takes: folder => [
      `(cd ${folder} && find EFI -type f) > ${MADE_TOO}`,
      `cp -r ${folder}/EFI ${folder}/loader /artifacts/`,
    ],
    makes: () => [],
  },
];

function ukiStep({ kind, step, type, takes, makes }: Uki, build: Build): Step {
  const name = `${build.names.uki}-uki`;
  const isMedium = kind === 'iso';
  const { before, folder: overlay } = overlayOf(build, cloudConfigCopy(build));
  const command = (folder: string) =>
    line(
      'auroraboot --debug build-uki',
      ...option('--name', name),
      `--output-dir ${folder} --output-type ${type} --public-keys /uki-keys`,
      '--tpm-pcr-private-key /uki-keys/tpm2-pcr-private.pem --sb-key /uki-keys/db.key --sb-cert /uki-keys/db.pem',
      ...(isMedium ? option('--overlay-iso', overlay) : []),
      'dir:/rootfs',
    );
  const onMedium = [...usedMount(build.uses.overlayIso, '/overlay-iso'), ...cloudConfigMounts(build)];
  return {
    name: step,
    runs: 'tool',
    script: inStepWorkdir(build, step, folder => [
      ...(isMedium ? before : []),
      command(folder),
      ...takes(folder, name),
    ]),
    mounts: [ROOTFS, artifactsMount(build), ...usedMount(build.uses.keys, '/uki-keys'), ...(isMedium ? onMedium : [])],
    privileged: true,
    output: 'uki',
    makes: makes(name),
  };
}

export const ukiSteps = (build: Build): Step[] =>
  UKI.filter(({ kind }) => build.uki[kind]).map(uki => ukiStep(uki, build));
