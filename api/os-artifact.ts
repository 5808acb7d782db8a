/** OSArtifact: build ISO images, disk images and files for booting over the network from a container image. Both published shapes are accepted. */
import * as z from 'zod';
import { ARTIFACT_KINDS, type ArtifactKind, mapValues } from './artifact-kinds.js';
import {
  Affinity,
  Container,
  optionalImageReference,
  JobSpec,
  PvcSpec,
  ResourceNeeds,
  SecretKey,
  Toleration,
  Volume,
} from './passthrough.js';
import { Condition, FirstSeen, LocalObjectReference, statusUid, time } from './meta.js';
import { Artifacts, Image, outputFields } from './os-artifact-nested.js';

const perKind = <Field extends z.ZodType>(make: (kind: ArtifactKind) => Field) =>
  mapValues<ArtifactKind, unknown, Field>(ARTIFACT_KINDS, (_row, kind) => make(kind));

const fileName = (kind: ArtifactKind) =>
  z
    .string()
    .min(1)
    .max(253)
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'must be lower case letters, digits and dashes')
    .optional()
    .describe(`Name of the files of ${kind}, without their endings.`);

/** Fields at the top level of both shapes. */
const shared = {
  imagePullSecrets: z.array(LocalObjectReference).optional().describe('Secrets for private registries.'),
  exporters: z
    .array(JobSpec)
    .optional()
    .describe('Jobs that run after the build, with the built files in the volume artifacts.'),
  volume: PvcSpec.optional().describe('PersistentVolumeClaim to build in; 10Gi, ReadWriteOnce when absent.'),
};

/** Fields of the flat (older) shape only. */
const flat = {
  imageName: optionalImageReference('A Kairos image that is used as it is.'),
  baseImageName: optionalImageReference('Image of a Linux distribution to convert into a Kairos system.'),
  baseImageDockerfile: SecretKey.optional().describe(
    'Secret with a Dockerfile; the key is Dockerfile unless it is named.',
  ),
  dockerfileTemplateValues: z.record(z.string(), z.string()).optional().describe('Values for the template, by name.'),
  dockerfileTemplateValuesFrom: LocalObjectReference.optional().describe(
    'Secret whose entries are further values. dockerfileTemplateValues take precedence.',
  ),
  ...outputFields,
};

/** Fields of the nested (newer) shape only. */
const nested = {
  image: Image.optional().describe('The image that artifacts are built from.'),
  artifacts: Artifacts.optional().describe('The artifacts to build.'),
  nodeSelector: z
    .record(z.string(), z.string())
    .optional()
    .describe('Labels of the nodes that the builder Pod may run on.'),
  tolerations: z.array(Toleration).optional().describe('Tolerations of the builder Pod.'),
  affinity: Affinity.optional().describe('Affinity of the builder Pod.'),
  podLabels: z.record(z.string(), z.string()).optional().describe('Additional labels of the builder Pod.'),
  podAnnotations: z.record(z.string(), z.string()).optional().describe('Additional annotations of the builder Pod.'),
  resources: z
    .object({
      ...perKind(() => ResourceNeeds.optional()),
      pod: ResourceNeeds.optional().describe('For every step of the build without its own.'),
    })
    .optional()
    .describe('Resource requests and limits of the steps.'),
  volumes: z.array(Volume).optional().describe('Volumes that other fields refer to.'),
  importers: z.array(Container).optional().describe('Containers that run before the build.'),
  nameOverride: z
    .object(perKind(fileName))
    .optional()
    .describe('Names of the files; the name of this object when absent.'),
};

export const FLAT_FIELDS = Object.keys(flat);
export const NESTED_FIELDS = Object.keys(nested);

/** Rules between the fields: `os-artifact-rules.ts`. */
export const OSArtifactSpec = z.object({ ...flat, ...nested, ...shared });
export type OSArtifactSpec = z.infer<typeof OSArtifactSpec>;

const StepStatus = z.object({
  name: z.string().describe('Name of the container.'),
  state: z.enum(['Waiting', 'Running', 'Done', 'Failed']).describe('Waiting, Running, Done or Failed.'),
  startedAt: time('When the step started.').optional(),
  completedAt: time('When the step ended.').optional(),
});

const OutputStatus = z.object({
  name: z.string().describe('Path of the file below /artifacts.'),
  size: z.int().min(0).describe('Size in bytes.'),
  sha256: z.string().describe('SHA-256 checksum.'),
});

const ExportStatus = z.object({
  job: z.string().describe('Name of the Job.'),
  state: z.enum(['Running', 'Done', 'Failed']).describe('Running, Done or Failed.'),
  tries: z.int().min(1).optional().describe('How many Jobs the exporter has had, if the Pod of one was lost.'),
  lost: z.boolean().optional().describe('The Pod of the Job was lost: if the Job fails, it is replaced.'),
  replaced: z.string().optional().describe('UID of the Job that was replaced.'),
  mayRunSince: time(
    'Since when the Job may have a Pod; absent while it is suspended, and when it has ended.',
  ).optional(),
});

const RenderingStatus = z.object({
  inputs: z.string().describe('ID of the spec and of the versions of all inputs.'),
  run: z.string().optional().describe('ID of the run of the controller that renders it.'),
  interrupted: z
    .int()
    .min(1)
    .optional()
    .describe('How often it took too much time or memory, or was interrupted by the end of the controller.'),
  rejected: z.string().optional().describe('Why it is rendered again only when the inputs have changed.'),
});

export const PHASES = ['Pending', 'Building', 'Exporting', 'Ready', 'Error'] as const;

export const OSArtifactStatus = z.object({
  phase: z.enum(PHASES).optional().describe('Pending, Building, Exporting, Ready or Error.'),
  message: z.string().optional().describe('Human-readable description of the state.'),
  observedGeneration: z.int().optional().describe('The metadata.generation that this status describes.'),
  uid: statusUid(),
  conditions: z.array(Condition).optional().describe('Complete, Failed, Reconciling and Stalled.'),
  retry: z
    .string()
    .optional()
    .describe(
      'Value that the annotation operator.kairos.io/retry had when the object was restored; another one builds it.',
    ),
  build: z.string().optional().describe('ID of the build: it changes with the spec and with the inputs.'),
  pod: z.string().optional().describe('Name of the builder Pod.'),
  rendering: RenderingStatus.optional().describe('The rendering of the definition, until the build has started.'),
  node: z.string().optional().describe('Node that the builder Pod ran on.'),
  attempt: z.int().min(1).optional().describe('Number of the builder Pod within this build: a lost Pod is replaced.'),
  builderLoss: z.string().optional().describe('How the latest builder Pod was lost; absent if it was not.'),
  progress: z.string().optional().describe('Completed steps of all steps, such as 3/12.'),
  steps: z.array(StepStatus).optional().describe('Steps of the build, in order.'),
  outputs: z.array(OutputStatus).optional().describe('Files that were built.'),
  exports: z.array(ExportStatus).optional().describe('Exporters, in order. A completed exporter does not run again.'),
  lastProgress: FirstSeen.optional().describe('How far the builder Pod is, and when the controller first saw that.'),
  waitingSince: time('Since when the build has been waiting for something that is missing.').optional(),
  startedAt: time('When the build started.').optional(),
  completedAt: time('When the build ended.').optional(),
});
export type OSArtifactStatus = z.infer<typeof OSArtifactStatus>;
