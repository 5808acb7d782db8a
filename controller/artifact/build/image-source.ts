/** How users write an image, and what the tools are given for it. */

const FILE_SCHEME = /^(dir|file|ocifile):/;

/** Some users write the transport in front of a reference, which auroraboot accepts and other tools do not. */
const withoutScheme = (image: string, ...schemes: readonly string[]): string =>
  image.replace(new RegExp(`^(${schemes.join('|')}):(//)?`), '');

/** What auroraboot unpacks. Without a scheme it parses the reference as a URL, and a registry such as 192.168.1.5:5000 is not the beginning of one. */
export const imageSource = (image: string): string =>
  FILE_SCHEME.test(image) ? image : `oci:${withoutScheme(image, 'oci', 'docker')}`;

/** The reference of an image in a registry; undefined for an image in files. */
export const referenceOf = (image: string): string | undefined =>
  FILE_SCHEME.test(image) ? undefined : withoutScheme(image, 'oci', 'docker');

/** For `FROM`: buildah takes `oci:` for a folder. */
export const baseImage = (image: string): string => withoutScheme(image, 'docker');
