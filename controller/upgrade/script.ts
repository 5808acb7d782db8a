/** The command of an upgrade, as text for a shell inside the new system's own image. */

export interface UpgradeWish {
  active: boolean;
  recovery: boolean;
  debug: boolean;
  excludePaths: readonly string[];
}

/** These belong to the container, not to the system in the image. */
const ALWAYS_EXCLUDED = ['/etc/hostname', '/etc/hosts'];

/** `kairos-agent` looks for the disks in /dev and for the state of the running system in /run. */
const MOUNTS = ['set -e', 'mount --rbind "$HOST_DIR/dev" /dev', 'mount --rbind "$HOST_DIR/run" /run'];

/** One word for a shell, whatever is in it: only a single quote ends single quotes. */
export const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** Recovery goes first: if it fails, the active system is still the old one. */
export function upgradeScript({ active, recovery, debug, excludePaths }: UpgradeWish): string {
  const excluded = [...ALWAYS_EXCLUDED, ...excludePaths].map(path => `--exclude-path ${quoted(path)}`).join(' ');
  const upgrade = (flags: string) =>
    `kairos-agent${debug ? ' --debug' : ''} upgrade${flags} --source dir:/ ${excluded}`;
  return [...MOUNTS, ...(recovery ? [upgrade(' --recovery')] : []), ...(active ? [upgrade('')] : []), ''].join('\n');
}

export const upgradeCommand = (nodeOp: UpgradeWish): string[] => ['sh', '-c', upgradeScript(nodeOp)];
