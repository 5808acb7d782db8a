/** OSArtifact: build media, disk images and files to boot from out of a container image. Two shapes were published; both are taken. */
import * as z from 'zod';
import {
  Affinity,
  Container,
  imageOrNone,
  JobSpec,
  PvcSpec,
  ResourceNeeds,
  SecretKey,
  Toleration,
  Volume,
} from './passthrough.js';
import { Condition, LocalObjectReference, time } from './meta.js';
import { Artifacts, Image, outputFields } from './os-artifact-nested.js';

/** What can be built: by it resources and names may be set. */
export const OUTPUTS = ['iso', 'cloudImage', 'azureImage', 'gceImage', 'netboot', 'uki'] as const;
export type Output = (typeof OUTPUTS)[number];

const perOutput = <T extends z.ZodType>(make: (output: Output) => T) => ({
  iso: make('iso'),
  cloudImage: make('cloudImage'),
  azureImage: make('azureImage'),
  gceImage: make('gceImage'),
  netboot: make('netboot'),
  uki: make('uki'),
});

const fileName = (output: Output) =>
  z
    .string()
    .min(1)
    .max(253)
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'must be lower case letters, digits and dashes')
    .optional()
    .describe(`Name of the files of ${output}, without their endings.`);

/** In both shapes. */
const shared = {
  imagePullSecrets: z.array(LocalObjectReference).optional().describe('Secrets for private registries.'),
  exporters: z.array(JobSpec).optional().describe('Jobs that run after the build with the volume artifacts.'),
  volume: PvcSpec.optional().describe('Claim to build in; 10Gi, ReadWriteOnce when absent.'),
};

/** Of the older shape only. */
const flat = {
  imageName: imageOrNone('A Kairos image that is ready to use.'),
  baseImageName: imageOrNone('Image of a plain Linux to make a Kairos system of.'),
  baseImageDockerfile: SecretKey.optional().describe('Secret with a Dockerfile; key Dockerfile when none is named.'),
  dockerfileTemplateValues: z.record(z.string(), z.string()).optional().describe('Values for the template, by name.'),
  dockerfileTemplateValuesFrom: LocalObjectReference.optional().describe(
    'Secret whose entries are values, too. dockerfileTemplateValues win.',
  ),
  ...outputFields,
};

/** Of the newer shape only. */
const nested = {
  image: Image.optional().describe('How the image comes about.'),
  artifacts: Artifacts.optional().describe('What is made of the image.'),
  nodeSelector: z.record(z.string(), z.string()).optional().describe('Labels of nodes that may build.'),
  tolerations: z.array(Toleration).optional().describe('Taints that the build tolerates.'),
  affinity: Affinity.optional().describe('Where the build would rather run.'),
  podLabels: z.record(z.string(), z.string()).optional().describe('Further labels of the builder Pod.'),
  podAnnotations: z.record(z.string(), z.string()).optional().describe('Further annotations of the builder Pod.'),
  resources: z
    .object({
      ...perOutput(() => ResourceNeeds.optional()),
      pod: ResourceNeeds.optional().describe('For every step of the build that has none of its own.'),
    })
    .optional()
    .describe('Requests and limits of the steps.'),
  volumes: z.array(Volume).optional().describe('Volumes that other fields name.'),
  importers: z.array(Container).optional().describe('Containers that run before the build.'),
  nameOverride: z
    .object(perOutput(fileName))
    .optional()
    .describe('Names of files; the name of this object when absent.'),
};

export const FLAT_FIELDS = Object.keys(flat);
export const NESTED_FIELDS = Object.keys(nested);

/** Rules between the fields: `os-artifact-rules.ts`. */
export const OSArtifactSpec = z.object({ ...flat, ...nested, ...shared });
export type OSArtifactSpec = z.infer<typeof OSArtifactSpec>;

const StepStatus = z.object({
  name: z.string().describe('Container of the step.'),
  state: z.enum(['Waiting', 'Running', 'Done', 'Failed']).describe('Waiting, Running, Done or Failed.'),
  startedAt: time('When it began.').optional(),
  completedAt: time('When it ended.').optional(),
});

const OutputStatus = z.object({
  name: z.string().describe('Name of the file, below /artifacts.'),
  size: z.int().min(0).describe('Its bytes.'),
  sha256: z.string().describe('Its checksum.'),
});

const ExportStatus = z.object({
  job: z.string().describe('Its Job.'),
  state: z.enum(['Running', 'Done', 'Failed']).describe('Running, Done or Failed.'),
  tries: z.int().min(1).optional().describe('How many Jobs it has had, where the Pod of one was lost.'),
  lost: z
    .boolean()
    .optional()
    .describe('The Pod of its Job was taken away: should the Job fail, there is another one.'),
  replaced: z.string().optional().describe('Uid of the Job before.'),
});

export const PHASES = ['Pending', 'Building', 'Exporting', 'Ready', 'Error'] as const;

export const OSArtifactStatus = z.object({
  phase: z.enum(PHASES).optional().describe('Pending, Building, Exporting, Ready or Error.'),
  message: z.string().optional().describe('A sentence for people.'),
  observedGeneration: z.int().optional().describe('metadata.generation this is about.'),
  conditions: z.array(Condition).optional().describe('Complete, Failed, Reconciling and Stalled.'),
  build: z.string().optional().describe('Which build this is about: another spec or another input is another build.'),
  pod: z.string().optional().describe('The builder Pod.'),
  attempt: z.int().min(1).optional().describe('Which builder Pod of this build it is: one that is lost is replaced.'),
  progress: z.string().optional().describe('How many of the steps are done, such as 3/12.'),
  steps: z.array(StepStatus).optional().describe('Steps of the build, in their order.'),
  outputs: z.array(OutputStatus).optional().describe('Files that were built.'),
  exports: z.array(ExportStatus).optional().describe('Exporters, in their order. One that is done is not run again.'),
  waitingSince: time('Since when it has lacked something that the build needs.').optional(),
  startedAt: time('When the build began.').optional(),
  completedAt: time('When it ended.').optional(),
});
export type OSArtifactStatus = z.infer<typeof OSArtifactStatus>;
