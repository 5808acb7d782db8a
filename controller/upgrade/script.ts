/** The command of an upgrade: a shell script that runs in a container of the new system's own image. */

export interface UpgradeOptions {
  active: boolean;
  recovery: boolean;
  debug: boolean;
  excludePaths: readonly string[];
}

/** These files belong to the container, not to the system in the image. */
const ALWAYS_EXCLUDED = ['/etc/hostname', '/etc/hosts'];

/** `kairos-agent` looks for the disks in /dev and for the state of the running system in /run. */
const MOUNTS = ['set -e', 'mount --rbind "$HOST_DIR/dev" /dev', 'mount --rbind "$HOST_DIR/run" /run'];

/** The text as one word for a shell, whatever it contains: within single quotes only a single quote is special. */
export const shellQuote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Recovery is upgraded first: if that fails, the active system is still the old one. */
export function upgradeScript({ active, recovery, debug, excludePaths }: UpgradeOptions): string {
  const excluded = [...ALWAYS_EXCLUDED, ...excludePaths].map(path => `--exclude-path ${shellQuote(path)}`).join(' ');
  const upgrade = (flags: string) =>
    `kairos-agent${debug ? ' --debug' : ''} upgrade${flags} --source dir:/ ${excluded}`;
  return [...MOUNTS, ...(recovery ? [upgrade(' --recovery')] : []), ...(active ? [upgrade('')] : []), ''].join('\n');
}

export const upgradeCommand = (options: UpgradeOptions): string[] => ['sh', '-c', upgradeScript(options)];
