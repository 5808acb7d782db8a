/** One function per event: data, nothing is sent here. */
import type { ArtifactReason } from '../../api/artifact-reasons.js';
import { apiVersion, OS_ARTIFACT } from '../../api/kinds.js';
import type { OSArtifact } from '../../api/objects.js';
import type { Event } from '../../kube/recorder.js';

const on =
  (type: Event['type']) =>
  ({ metadata: { name, namespace, uid } }: OSArtifact, reason: ArtifactReason, message: string): Event => ({
    about: { apiVersion: apiVersion(OS_ARTIFACT), kind: OS_ARTIFACT.kind, name, namespace, uid },
    type,
    reason,
    message,
  });

export const tell = on('Normal');
export const warn = on('Warning');

export const claimKept = (artifact: OSArtifact, claim: string): Event =>
  warn(
    artifact,
    'ClaimKept',
    `PersistentVolumeClaim ${claim} was made with another spec.volume and stays as it is; delete it to have one made anew`,
  );

export const volumeReplaced = (artifact: OSArtifact, index: number): Event =>
  warn(
    artifact,
    'VolumeReplaced',
    `exporter ${index} declares a volume named artifacts: it is replaced by the one with the built files`,
  );
