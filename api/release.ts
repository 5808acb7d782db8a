/** What is known of a Kairos system, on a host or in an image; the keys of `/etc/kairos-release` without their prefix. */
import * as z from 'zod';

export const Release = z.object({
  version: z.string().optional().describe('KAIROS_VERSION'),
  softwareVersion: z.string().optional().describe('KAIROS_SOFTWARE_VERSION, the Kubernetes distribution inside.'),
  softwareVersionPrefix: z.string().optional().describe('KAIROS_SOFTWARE_VERSION_PREFIX, such as k3s.'),
  id: z.string().optional().describe('KAIROS_ID'),
  name: z.string().optional().describe('KAIROS_NAME'),
  family: z.string().optional().describe('KAIROS_FAMILY'),
  flavor: z.string().optional().describe('KAIROS_FLAVOR'),
  flavorRelease: z.string().optional().describe('KAIROS_FLAVOR_RELEASE'),
  variant: z.string().optional().describe('KAIROS_VARIANT'),
  model: z.string().optional().describe('KAIROS_MODEL'),
  arch: z.string().optional().describe('KAIROS_ARCH, or the CPU of the host, in Go words: amd64, arm64.'),
  trustedBoot: z.boolean().optional().describe('Started as, or made for, a Unified Kernel Image (trusted boot).'),
  fips: z.boolean().optional().describe('KAIROS_FIPS'),
});
export type Release = z.infer<typeof Release>;
