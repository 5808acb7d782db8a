/** Disk images. */
import { cloudConfigFlag } from './iso-overlay.js';
import { filesOf, type KindStepBuilder } from './kind-step-builder.js';
import { detachLoops, PREPARE_LOOPS } from './scripts/loop-devices.js';
import { line } from './scripts/shell.js';
import { publishResult } from './scripts/work-folder.js';
import { artifactsMount, cloudConfigMounts, ROOTFS } from './volumes.js';

/** `format`: the setting of auroraboot that selects it; `pattern`: the file that auroraboot writes. */
export const diskStep =
  (format: string, pattern: string): KindStepBuilder =>
  (output, build) => {
    const { arch, diskMiB } = build;
    const [file = ''] = filesOf(output, build);
    const set = (setting: string) => ['--set', `'${setting}'`];
    const command = (folder: string) =>
      line(
        'auroraboot --debug',
        ...[`${format}=true`, 'disable_netboot=true', 'disable_http_server=true', `state_dir=${folder}`].flatMap(set),
        ...set('container_image=dir:/rootfs'),
        ...(arch === undefined ? [] : set(`arch=${arch}`)),
        ...(diskMiB === undefined ? [] : set(`disk.size=${diskMiB}`)),
        ...cloudConfigFlag(build),
      );
    return {
      commands: work => [...PREPARE_LOOPS, command(work.path), ...publishResult(work, pattern, file)],
      onExit: detachLoops,
      mounts: [ROOTFS, artifactsMount(build), ...cloudConfigMounts(build)],
    };
  };
