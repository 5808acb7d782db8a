/** Scripts that change a release file of the root file system, such as /etc/os-release. */
import { inOrder } from './shell.js';

/** Finds the file behind a link of the root file system. An absolute target starts at that root, not at the root of the container. */
const resolveLink = (file: string, root: string) =>
  inOrder(
    `file=${root}${file}`,
    'link=$(readlink "$file" || true)',
    `case "$link" in /*) file=${root}$link ;; ?*) file=${root}/etc/$link ;; esac`,
  );

/** Replaces the file, or the link to it, with the content of `source`. */
export const replaceFile = (file: string, source: string): string =>
  inOrder('mkdir -p /rootfs/etc', `rm -f /rootfs${file}`, `cat ${source} > /rootfs${file}`);

/** Sets one variable of the file to the line in `source`. */
export const setVariable = (file: string, source: string, variable: string): string =>
  inOrder(
    'mkdir -p /rootfs/etc',
    resolveLink(file, '/rootfs'),
    'touch "$file"',
    /* `$a\` adds the newline that the last line may lack. */
    `sed -i -e '/^${variable}=/d' -e '$a\\' "$file"`,
    `cat ${source} >> "$file"`,
  );
