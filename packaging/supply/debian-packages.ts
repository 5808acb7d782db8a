/** The Debian packages whose files the agent's image copies from TOOLS_IMAGE. Their versions depend on the TOOLS_IMAGE of the build. */

export const DEBIAN_PACKAGES = [
  { name: 'util-linux', licence: 'GPL-2.0-or-later' }, // nsenter
  { name: 'libselinux1', licence: 'LicenseRef-public-domain' },
  { name: 'libpcre2-8-0', licence: 'BSD-3-Clause' },
] as const;

/** SBOM components of these packages, for the agent's image only. They have no version and hash, because the build does not know them. */
export const debianPackagesOf = (image: string) =>
  image === 'kairos-operator-agent'
    ? DEBIAN_PACKAGES.map(({ name, licence }) => ({
        type: 'library',
        'bom-ref': `pkg:deb/debian/${name}`,
        name,
        licenses: [{ expression: licence }],
        purl: `pkg:deb/debian/${name}`,
        description: `Files of this package are copied from TOOLS_IMAGE; /licenses/${name}.copyright contains all licences.`,
      }))
    : [];
