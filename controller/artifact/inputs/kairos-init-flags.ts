/** The command line of kairos-init, whose flags for Kubernetes distributions have changed. */

/** The last versions with each set of flags. */
type Generation = 'variant' | 'kubernetes-provider' | 'provider';

const TAG_VERSION = /^v?(\d+)\.(\d+)/;

/** A colon before a slash begins a port. */
function tagOf(reference: string): string {
  const colon = reference.lastIndexOf(':');
  return colon > reference.lastIndexOf('/') ? reference.slice(colon + 1) : '';
}

/** By the tag of the image. A tag that is no version, or a digest, stands for a current kairos-init. */
function generationOf(image: string): Generation {
  const [reference = ''] = image.split('@');
  const [, major, minor] = TAG_VERSION.exec(tagOf(reference)) ?? [];
  if (major !== '0') return 'provider';
  if (Number(minor) < 5) return 'variant';
  return Number(minor) < 6 ? 'kubernetes-provider' : 'provider';
}

const COMMON = '--version "${VERSION}" -m "${MODEL}" -t "${TRUSTED_BOOT}"';

/** The flags of a build argument that is empty are left out. */
const PROVIDER_FLAGS: Readonly<Record<Generation, string>> = {
  /* Without the variant, these versions ignore the distribution. */
  variant:
    '${KUBERNETES_DISTRO:+-v standard -k "${KUBERNETES_DISTRO}"} ${KUBERNETES_VERSION:+--k8sversion "${KUBERNETES_VERSION}"}',
  'kubernetes-provider':
    '${KUBERNETES_DISTRO:+-k "${KUBERNETES_DISTRO}"} ${KUBERNETES_VERSION:+--k8sversion "${KUBERNETES_VERSION}"}',
  /* The flag for the version exists only beside the distribution that it names. */
  provider:
    '${KUBERNETES_DISTRO:+-p "${KUBERNETES_DISTRO}" ${KUBERNETES_VERSION:+--provider-"${KUBERNETES_DISTRO}"-version "${KUBERNETES_VERSION}"}}',
};

/** Flags after the stage. `FIPS` is `fips`, or anything else where it does not apply. `image`: of kairos-init. */
export const kairosInitFlags = (image: string): string =>
  `${COMMON} ${PROVIDER_FLAGS[generationOf(image)]} $([ "\${FIPS}" != fips ] || echo --fips)`;
