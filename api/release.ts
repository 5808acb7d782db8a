/** The release of a Kairos system, on a host or in an image: the keys of `/etc/kairos-release`. */
import * as z from 'zod';

export const Release = z.object({
  version: z.string().optional().describe('KAIROS_VERSION.'),
  softwareVersion: z
    .string()
    .optional()
    .describe('KAIROS_SOFTWARE_VERSION: version of the Kubernetes distribution in the system.'),
  softwareVersionPrefix: z
    .string()
    .optional()
    .describe('KAIROS_SOFTWARE_VERSION_PREFIX: the Kubernetes distribution, such as k3s.'),
  id: z.string().optional().describe('KAIROS_ID.'),
  name: z.string().optional().describe('KAIROS_NAME.'),
  family: z.string().optional().describe('KAIROS_FAMILY.'),
  flavor: z.string().optional().describe('KAIROS_FLAVOR.'),
  flavorRelease: z.string().optional().describe('KAIROS_FLAVOR_RELEASE.'),
  variant: z.string().optional().describe('KAIROS_VARIANT.'),
  model: z.string().optional().describe('KAIROS_MODEL.'),
  arch: z
    .string()
    .optional()
    .describe('KAIROS_ARCH, or the CPU architecture of the host, as Go spells it: amd64, arm64.'),
  trustedBoot: z
    .boolean()
    .optional()
    .describe('Whether the system was started from, or is built as, a Unified Kernel Image (trusted boot).'),
  fips: z.boolean().optional().describe('KAIROS_FIPS.'),
});
export type Release = z.infer<typeof Release>;
