/** The reasons in the status and the Events of an OSArtifact. Those of operations on nodes are in `reasons.ts`. */
export const ARTIFACT_REASONS = {
  Waiting: 'The build waits for something that does not exist yet, or for something that must be deleted first.',
  InputMissing: 'A Secret or ConfigMap that the build needs, or an entry of it, does not exist.',
  InputIgnored: 'A Secret of imagePullSecrets does not exist or has no credentials; the build goes on without it.',
  InvalidInput: 'The content of a Secret cannot be used.',
  InvalidSpec: 'The spec violates a rule that the admission webhook would have enforced.',
  NamespaceNotAllowed: 'The operator does not build in this namespace.',
  Restored:
    'The object was restored from a backup, or copied from one that had started. Nothing is built until a retry is requested.',
  Refused: 'The API server refused to create an object.',
  Building: 'The artifacts are being built.',
  StepDone: 'A step of the build is done.',
  BuilderLost: 'The builder Pod was lost and is replaced.',
  BuildFailed: 'A step of the build failed, or the builder Pod was lost too often.',
  BuildTimeout: 'The builder Pod could not run for too long.',
  ExportTimeout: 'An exporter could not run for too long.',
  ClaimKept: 'The PersistentVolumeClaim to build in already exists and has another spec.',
  VolumeReplaced: 'An exporter declares a volume named artifacts; it is replaced by the one with the built files.',
  Exporting: 'The artifacts are built, and exporters are running.',
  ExportFailed: 'An exporter failed.',
  Built: 'The artifacts are built, and every exporter is done.',
} as const;

export type ArtifactReason = keyof typeof ARTIFACT_REASONS;
