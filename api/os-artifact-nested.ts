/** The nested shape of an OSArtifact: the image to start from, and the artifacts to build from it. */
import * as z from 'zod';
import { flagKindFields, variantKindFields } from './artifact-kind-fields.js';
import { EnvVar, imageReference, optionalImageReference, SecretKey } from './passthrough.js';

/* An empty text counts as absent: templates render it for values that are not set. */
const text = (description: string) => z.string().optional().describe(description);
const flag = (description: string) => z.boolean().optional().describe(description);

export const BuildOptions = z.object({
  version: z.string().min(1).describe('Version of the system that is built.'),
  baseImage: imageReference('Image of a Linux distribution to convert into a Kairos system.'),
  model: text('Board or machine that the system is for; generic when absent.'),
  trustedBoot: flag('Build a system for trusted boot.'),
  kubernetesDistro: text('Kubernetes distribution to install, such as k3s.'),
  kubernetesVersion: text('Version of that distribution.'),
  fips: flag('Build a system from FIPS-validated components.'),
  kairosInitImage: optionalImageReference("Image with kairos-init; the operator's default when absent."),
});
export type BuildOptions = z.infer<typeof BuildOptions>;

const OciSpec = z.object({
  ref: SecretKey.describe('Secret with the definition (a Dockerfile); the key is ociSpec unless it is named.'),
  templateValues: z.record(z.string(), z.string()).optional().describe('Values for the template, by name.'),
  templateValuesFrom: SecretKey.optional().describe(
    'Secret whose entries are further values; only one of them where a key is named. templateValues take precedence.',
  ),
  buildContextVolume: text('Volume with files for COPY and ADD.'),
});

export const BuildImage = z.object({
  registry: z.string().min(1).describe('Registry, with its port where it has one.'),
  repository: z.string().min(1).describe('Repository within the registry.'),
  tag: z.string().min(1).describe('Tag.'),
});
export type BuildImage = z.infer<typeof BuildImage>;

export const Image = z.object({
  ref: optionalImageReference('A Kairos image that is used as it is.'),
  buildOptions: BuildOptions.optional().describe('Convert the image of a Linux distribution into a Kairos image.'),
  ociSpec: OciSpec.optional().describe('Build the image from your own definition.'),
  buildImage: BuildImage.optional().describe('Reference of the image that is built.'),
  push: flag('Push the image that is built.'),
  imageCredentialsSecretRef: SecretKey.optional().describe(
    'Secret with credentials for registries; the key is .dockerconfigjson unless it is named.',
  ),
  buildEnv: z.array(EnvVar).optional().describe('Environment variables of the image build.'),
  caCertificatesVolume: text('Volume with certificates of the authorities to trust for registries.'),
  pullInsecureRegistry: flag('Pull without verifying certificates.'),
  pushInsecureRegistry: flag('Push without verifying certificates.'),
});

/** Fields of both shapes: in the nested shape they are in `artifacts`. */
export const outputFields = {
  ...flagKindFields,
  cloudConfigRef: SecretKey.optional().describe(
    'Secret with a cloud-config; the key is cloud-config.yaml unless it is named.',
  ),
  grubConfig: text('Boot loader configuration of ISO images.'),
  bundles: z
    .array(imageReference('Image of a bundle.'))
    .optional()
    .describe('Images unpacked over the root file system, in this order.'),
  osRelease: text('Content of /etc/os-release, or the version to set in it.'),
  kairosRelease: text('Content of /etc/kairos-release, or the version to set in it.'),
};

export const Artifacts = z.object({
  arch: z.enum(['amd64', 'arm64']).optional().describe('CPU architecture; that of the building node when absent.'),
  ...outputFields,
  overlayISOVolume: text('Volume with files to add to ISO images.'),
  overlayRootfsVolume: text('Volume with files to put over the root file system of ISO images.'),
  ...variantKindFields,
  volume: text('Volume to build in, instead of a PersistentVolumeClaim of the operator.'),
});
