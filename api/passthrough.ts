/** Parts of Kubernetes objects that are passed through to Pods, Jobs and PersistentVolumeClaims: kept unchanged and validated by the API server. */
import * as z from 'zod';

const PRESERVE = { 'x-kubernetes-preserve-unknown-fields': true };

export const passthrough = (description: string) => z.looseObject({}).describe(description).meta(PRESERVE);

/** An object of which the operator reads only the name. */
export const objectWithName = (description: string) =>
  z
    .looseObject({ name: z.string().min(1).describe('Name.') })
    .describe(description)
    .meta(PRESERVE);

export const SecretKey = z.object({
  name: z.string().min(1).describe('Name of a Secret in the namespace of this object.'),
  key: z.string().min(1).optional().describe('Key within the Secret.'),
});
export type SecretKey = z.infer<typeof SecretKey>;

const NOT_AN_IMAGE = 'must be an image reference, such as quay.io/kairos/ubuntu:24.04';

/** A leading dash is rejected: command line tools would parse the reference as a flag. */
export const imageReference = (description: string) =>
  z
    .string()
    .min(1)
    .regex(/^[^-\s]\S*$/, NOT_AN_IMAGE)
    .describe(description);

/** An empty text counts as absent: templates render it for values that are not set. */
export const optionalImageReference = (description: string) =>
  z
    .string()
    .regex(/^([^-\s]\S*)?$/, NOT_AN_IMAGE)
    .optional()
    .describe(description);

export const EnvVar = objectWithName('An environment variable.');
export const Volume = objectWithName('A volume.');
export const Container = objectWithName('A container.');
export const ResourceNeeds = passthrough('Requests and limits of a container.');
export const PvcSpec = passthrough('Spec of a PersistentVolumeClaim.');
export const Toleration = passthrough('A toleration.');
export const Affinity = passthrough('Affinity of a Pod.');

export type Json = Record<string, unknown>;
export type NamedObject = Json & { name: string };

export const JobSpec = z
  .looseObject({
    template: z
      .looseObject({
        spec: z
          .looseObject({
            containers: z.array(Container).min(1).describe('Containers.'),
            volumes: z
              .array(Volume)
              .optional()
              .describe('Volumes; one named artifacts is replaced by the volume with the built files.'),
          })
          .describe('Spec of the Pods.')
          .meta(PRESERVE),
      })
      .describe('Template of the Pods.')
      .meta(PRESERVE),
    backoffLimit: z.int32().min(0).optional().describe('Retries; none when absent.'),
    completions: z.int32().min(0).optional().describe('How many Pods must succeed.'),
  })
  .describe('Spec of a Job.')
  .meta(PRESERVE);
export type JobSpec = z.infer<typeof JobSpec>;

/** The name of the volume with the built files, in exporters and in the builder Pod. */
export const ARTIFACTS_VOLUME = 'artifacts';
/** Where the steps of the builder Pod work. */
export const SCRATCH_VOLUME = 'operator-scratch';

/** Whether an exporter declares a volume of that name itself: it is replaced. */
export const declaresArtifactsVolume = ({ template }: JobSpec): boolean =>
  template.spec.volumes?.some(({ name }) => name === ARTIFACTS_VOLUME) ?? false;
