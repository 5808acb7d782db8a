/** Every reason that the status or an Event of an OSArtifact may carry. Those of operations on nodes: `reasons.ts`. */
export const ARTIFACT_REASONS = {
  Waiting: 'Something that the build needs is not there yet.',
  InputMissing: 'A Secret that the build needs, or an entry of it, is not there.',
  InvalidInput: 'What stands in a Secret cannot be used.',
  InvalidSpec: 'The spec breaks a rule that the admission webhook would have refused.',
  NamespaceNotAllowed: 'The operator obeys no wishes in this namespace.',
  Refused: 'The API server would not let something be made.',
  Building: 'The artifacts are being built.',
  StepDone: 'A step of the build is done.',
  BuilderLost: 'The builder Pod was taken away; another one is made.',
  BuildFailed: 'A step of the build failed.',
  BuildTimeout: 'The builder Pod could not run for too long.',
  ExportTimeout: 'An exporter could not run for too long.',
  ClaimKept: 'The claim to build in is there already, made with another spec.',
  VolumeReplaced: 'An exporter brings a volume named artifacts of its own; it gets the built files instead.',
  Exporting: 'The artifacts are built; exporters are at work.',
  ExportFailed: 'An exporter failed.',
  Built: 'The artifacts are built, and every exporter is done.',
} as const;

export type ArtifactReason = keyof typeof ARTIFACT_REASONS;
