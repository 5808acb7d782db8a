/** Disk images: one step for each form. */
import type { Output } from '../../../api/os-artifact.js';
import { inStepWorkdir, takeOut } from './step-workdir.js';
import type { Build } from './build.js';
import type { Step } from './container.js';
import { cloudConfig } from './overlay.js';
import { line } from './shell.js';
import { artifactsMount, cloudConfigMounts, ROOTFS } from './volumes.js';

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

function diskStep({ output, step, form, ending }: Disk, build: Build): Step {
  const { arch, diskMiB, names } = build;
  const name = `${names[output]}.${ending}`;
  const set = (setting: string) => ['--set', `'${setting}'`];
  const command = (folder: string) =>
    line(
      'auroraboot --debug',
      ...[`${form}=true`, 'disable_netboot=true', 'disable_http_server=true', `state_dir=${folder}`].flatMap(set),
      ...set('container_image=dir:/rootfs'),
      ...(arch === undefined ? [] : set(`arch=${arch}`)),
      ...(diskMiB === undefined ? [] : set(`disk.size=${diskMiB}`)),
      ...cloudConfig(build),
    );
  const found = ending === 'gce.tar.gz' ? '*.raw.gce.tar.gz' : `*.${ending}`;
  return {
    name: step,
    runs: 'tool',
    script: inStepWorkdir(build, step, folder => [command(folder), ...takeOut(`${folder}/${found}`, name)]),
    mounts: [ROOTFS, artifactsMount(build), ...cloudConfigMounts(build)],
    privileged: true,
    output,
    makes: [name],
  };
}

export const diskSteps = (build: Build): Step[] =>
  DISKS.filter(({ output }) => build.outputs[output]).map(disk => diskStep(disk, build));
