/** Asks the machine to reboot, in the way that its init process understands. */
import type { Host } from './host.js';

/**
 * SIGRTMIN+5: systemd starts reboot.target, as `systemctl reboot` does (systemd(1), "Signals"). SIGRTMIN is 34 in glibc, which systemd is
 * built with.
 */
export const SYSTEMD_REBOOT_SIGNAL = 39;

/** Resolves when the machine was asked, which is before it goes down. Throws when the signal or the command fails. */
export async function reboot(host: Host): Promise<'signal' | 'command'> {
  if ((await host.initName()) === 'systemd') {
    await host.signalInit(SYSTEMD_REBOOT_SIGNAL);
    return 'signal';
  }
  await host.runInInitNamespaces('reboot');
  return 'command';
}
