/** Scripts that change a release file of the root file system, such as /etc/os-release. */
import { inOrder } from './shell.js';

/** Finds the file behind a link of the root file system. An absolute target starts at that root, not at the root of the container. */
const resolveLink = (file: string) =>
  inOrder(
    `file=/rootfs${file}`,
    'link=$(readlink "$file" || true)',
    'case "$link" in /*) file=/rootfs$link ;; ?*) file=/rootfs/etc/$link ;; esac',
  );

/** Whether /etc/os-release has the variables of Kairos, as it had before v3.2; sets `file`. */
export const IS_OLD_KAIROS = inOrder(
  resolveLink('/etc/os-release'),
  '[ ! -e /rootfs/etc/kairos-release ]',
  '[ ! -L /rootfs/etc/kairos-release ]',
  'grep -qs "^KAIROS_" "$file"',
);

/** Replaces the file, or the link to it, with the content of `source`. */
export const replaceFile = (file: string, source: string): string =>
  inOrder('mkdir -p /rootfs/etc', `rm -f /rootfs${file}`, `cat ${source} > /rootfs${file}`);

/** Sets variables of the file to the lines in `source`. Those of Kairos are set where the system has them. */
export const setVariables = (file: string, source: string, variables: readonly string[]): string =>
  inOrder(
    'mkdir -p /rootfs/etc',
    variables.some(name => name.startsWith('KAIROS_'))
      ? `{ { ${IS_OLD_KAIROS}; } || { ${resolveLink(file)}; }; }`
      : resolveLink(file),
    'touch "$file"',
    /* `$a\` adds the newline that the last line may lack. */
    `sed -i ${variables.map(name => `-e '/^${name}=/d'`).join(' ')} -e '$a\\' "$file"`,
    `cat ${source} >> "$file"`,
  );
