/** The script that boots a machine with the built files by iPXE. */

/** Kernel arguments of a Kairos system that is booted over the network, as auroraboot itself passes them. */
const ARGUMENTS = [
  'rd.live.overlay.overlayfs',
  'rd.neednet=1',
  'ip=dhcp',
  'rd.cos.disable',
  'netboot',
  'nodepair.enable',
  'console=tty1',
  'console=ttyS0',
  'console=tty0',
].join(' ');

/** `name`: of the files, without their endings. An EFI kernel looks for the initrd under the name that it is given. */
export const ipxeScript = (url: string, name: string): string =>
  [
    '#!ipxe',
    `set url ${url.replace(/\/+$/, '')}`,
    `kernel \${url}/${name}-kernel initrd=${name}-initrd root=live:\${url}/${name}.squashfs ${ARGUMENTS}`,
    `initrd \${url}/${name}-initrd`,
    'boot',
    '',
  ].join('\n');
