/** How a machine is told to reboot: in the way of its first process. */
import type { Host } from './host.js';

/** SIGRTMIN+5: systemd starts reboot.target, as `systemctl reboot` does. Counted by glibc's SIGRTMIN, 34, which systemd is built with. */
export const SYSTEMD_REBOOT_SIGNAL = 39;

/** Resolves when the machine was told; it goes down in its own time. */
export async function reboot(host: Host): Promise<'signal' | 'command'> {
  if ((await host.initName()) === 'systemd') {
    await host.signalInit(SYSTEMD_REBOOT_SIGNAL);
    return 'signal';
  }
  await host.runBesideInit('reboot');
  return 'command';
}
