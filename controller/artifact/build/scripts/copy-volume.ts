/** Copies what a user sees in a volume. */

/**
 * A volume of a Secret or ConfigMap has its files in a hidden folder, `..data`, and links to them at the top: what they point to is copied. Other links
 * stay links. The target has attributes of its own, because a tool would apply those of a volume, which everyone may write to, to the root folder of a
 * system.
 */
export const copyVolume = (from: string, to: string): string[] => [
  `mkdir -p ${to}`,
  `find ${from} -mindepth 1 -maxdepth 1 ! -name '..*' ! -lname '..data/*' -exec cp -a -t ${to} {} +`,
  `find ${from} -mindepth 1 -maxdepth 1 -lname '..data/*' -exec cp -a -H -t ${to} {} +`,
];
