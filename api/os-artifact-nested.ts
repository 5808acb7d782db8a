/** The newer shape of an OSArtifact: how the image comes about, and what is made of it. */
import * as z from 'zod';
import { EnvVar, imageOrNone, imageReference, SecretKey } from './passthrough.js';

/* An empty text is none, as in manifests that are rendered. */
const volumeName = (what: string) => z.string().optional().describe(what);
const text = (what: string) => z.string().optional().describe(what);
const flag = (what: string) => z.boolean().optional().describe(what);
const name = (what: string) => z.string().optional().describe(what);

export const BuildOptions = z.object({
  version: z.string().min(1).describe('Version the system will bear.'),
  baseImage: imageReference('Image of a plain Linux to make a Kairos system of.'),
  model: name('Board or machine the system is for; generic when absent.'),
  trustedBoot: flag('Make a system for trusted boot.'),
  kubernetesDistro: name('Kubernetes distribution to put in, such as k3s.'),
  kubernetesVersion: name('Version of that distribution.'),
  fips: flag('Make a system of FIPS-validated parts.'),
  kairosInitImage: imageOrNone("Image with kairos-init; the operator's default when absent."),
});
export type BuildOptions = z.infer<typeof BuildOptions>;

const OciSpec = z.object({
  ref: SecretKey.describe('Secret with the definition (a Dockerfile); key ociSpec when none is named.'),
  templateValues: z.record(z.string(), z.string()).optional().describe('Values for the template, by name.'),
  templateValuesFrom: SecretKey.optional().describe(
    'Secret whose entries are values, too; only one of them where a key is named. templateValues win.',
  ),
  buildContextVolume: volumeName('Volume with files for COPY and ADD.'),
});

export const BuildImage = z.object({
  registry: z.string().min(1).describe('Registry, with its port where it has one.'),
  repository: z.string().min(1).describe('Repository within the registry.'),
  tag: z.string().min(1).describe('Tag.'),
});
export type BuildImage = z.infer<typeof BuildImage>;

export const Image = z.object({
  ref: imageOrNone('A Kairos image that is ready to use.'),
  buildOptions: BuildOptions.optional().describe('Make a Kairos image of a plain Linux.'),
  ociSpec: OciSpec.optional().describe('Build the image by a definition of your own.'),
  buildImage: BuildImage.optional().describe('What the image that is built will be called.'),
  push: flag('Push the image that is built.'),
  imageCredentialsSecretRef: SecretKey.optional().describe(
    'Secret with credentials for registries; key .dockerconfigjson when none is named.',
  ),
  buildEnv: z.array(EnvVar).optional().describe('Environment of the build.'),
  caCertificatesVolume: volumeName('Volume with certificates of authorities that registries are trusted by.'),
  pullInsecureRegistry: flag('Pull without checking certificates.'),
  pushInsecureRegistry: flag('Push without checking certificates.'),
});

const keysNeeded = 'keysVolume is needed for any unified kernel image';

const Uki = z
  .object({
    iso: flag('A medium with a unified kernel image.'),
    container: flag('An image with it.'),
    efi: flag('The bare file.'),
    keysVolume: volumeName(
      'Volume with the keys to sign with (db.key, db.pem, tpm2-pcr-private.pem) and those to enroll (db.auth, KEK.auth, PK.auth).',
    ),
  })
  .meta({
    'x-kubernetes-validations': [
      {
        rule: '!(has(self.iso) && self.iso || has(self.container) && self.container || has(self.efi) && self.efi) || has(self.keysVolume)',
        message: keysNeeded,
      },
    ],
  });

/** Fields that both shapes have, each in its own place. */
export const outputFields = {
  iso: flag('Build a bootable medium.'),
  diskSize: z
    .string()
    .regex(/^(0*[1-9][0-9]{0,8}[KMGT]?)?$/, 'must be a size such as "10G", or a number of MiB')
    .optional()
    .describe('Size of disk images: such as 10G, or a number of MiB.'),
  cloudImage: flag('Build a raw disk image.'),
  azureImage: flag('Build a disk image for Azure.'),
  gceImage: flag('Build a disk image for Google Compute Engine.'),
  netboot: flag('Build kernel, initrd and root file system for booting over the network.'),
  netbootURL: text('Where those files will be served.'),
  cloudConfigRef: SecretKey.optional().describe(
    'Secret with a cloud-config; key cloud-config.yaml when none is named.',
  ),
  grubConfig: text('Configuration of the boot loader on media.'),
  bundles: z
    .array(imageReference('Image of a bundle.'))
    .optional()
    .describe('Images unpacked over the root file system, in this order.'),
  osRelease: text('Content of /etc/os-release, or the version to set in it.'),
  kairosRelease: text('Content of /etc/kairos-release, or the version to set in it.'),
};

export const Artifacts = z.object({
  arch: z.enum(['amd64', 'arm64']).optional().describe("CPU architecture; the building node's own when absent."),
  ...outputFields,
  overlayISOVolume: volumeName('Volume with files to put on media.'),
  overlayRootfsVolume: volumeName('Volume with files to put over the root file system of media.'),
  uki: Uki.optional().describe('Unified kernel images, for trusted boot.'),
  volume: volumeName('Volume to build in, instead of a claim of our own.'),
});
