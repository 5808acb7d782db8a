/** Pieces of Kubernetes objects that users hand through us to Pods, Jobs and claims: kept as they are, judged by the API server. */
import * as z from 'zod';

const KEPT = { 'x-kubernetes-preserve-unknown-fields': true };

/** Any object. */
export const passthrough = (what: string) => z.looseObject({}).describe(what).meta(KEPT);

/** An object of which only the name matters to us. */
export const named = (what: string) =>
  z
    .looseObject({ name: z.string().min(1).describe('Its name.') })
    .describe(what)
    .meta(KEPT);

export const SecretKey = z.object({
  name: z.string().min(1).describe('Name of a Secret in the namespace of this object.'),
  key: z.string().min(1).optional().describe('Which of its entries.'),
});
export type SecretKey = z.infer<typeof SecretKey>;

const NO_IMAGE = 'must be the reference of an image, such as quay.io/kairos/ubuntu:24.04';

/** What a tool would take for a flag is none. */
export const imageReference = (what: string) =>
  z
    .string()
    .min(1)
    .regex(/^[^-\s]\S*$/, NO_IMAGE)
    .describe(what);

/** An empty text is none, as in manifests that are rendered. */
export const imageOrNone = (what: string) =>
  z
    .string()
    .regex(/^([^-\s]\S*)?$/, NO_IMAGE)
    .optional()
    .describe(what);

export const EnvVar = named('An environment variable.');
export const Volume = named('A volume.');
export const Container = named('A container.');
export const ResourceNeeds = passthrough('Requests and limits of a container.');
export const PvcSpec = passthrough('Spec of a PersistentVolumeClaim.');
export const Toleration = passthrough('A toleration.');
export const Affinity = passthrough('Affinity of a Pod.');

export type Json = Record<string, unknown>;
export type Named = Json & { name: string };

export const JobSpec = z
  .looseObject({
    template: z
      .looseObject({
        spec: z
          .looseObject({
            containers: z.array(Container).min(1).describe('What is run.'),
            volumes: z.array(Volume).optional().describe('Volumes; one named artifacts is replaced by what was built.'),
          })
          .describe('Spec of its Pods.')
          .meta(KEPT),
      })
      .describe('Its Pods.')
      .meta(KEPT),
    backoffLimit: z.int32().min(0).optional().describe('Retries; none when absent.'),
    completions: z.int32().min(0).optional().describe('How many Pods must succeed.'),
  })
  .describe('Spec of a Job.')
  .meta(KEPT);
export type JobSpec = z.infer<typeof JobSpec>;
