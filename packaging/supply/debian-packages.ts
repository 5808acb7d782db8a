/** What the image of the agent takes from TOOLS_IMAGE: packages of Debian, whose version is that of the image that was named. */

export const DEBIAN_PACKAGES = [
  { name: 'util-linux', licence: 'GPL-2.0-or-later' }, // nsenter
  { name: 'libselinux1', licence: 'LicenseRef-public-domain' },
  { name: 'libpcre2-8-0', licence: 'BSD-3-Clause' },
] as const;

/** As components of an SBOM; none for another image. Without version and hash: building knows neither. */
export const debianPackagesOf = (image: string) =>
  image === 'kairos-operator-agent'
    ? DEBIAN_PACKAGES.map(({ name, licence }) => ({
        type: 'library',
        'bom-ref': `pkg:deb/debian/${name}`,
        name,
        licenses: [{ expression: licence }],
        purl: `pkg:deb/debian/${name}`,
        description: `Files of it come from TOOLS_IMAGE; /licenses/${name}.copyright has all licences.`,
      }))
    : [];
