/** Events about OSArtifacts, as data: `act` and the controller record them. */
import type { ArtifactReason } from '../../api/artifact-reasons.js';
import { apiVersion, OS_ARTIFACT } from '../../api/kinds.js';
import type { OSArtifact } from '../../api/objects.js';
import type { Event } from '../../kube/event-recorder.js';

const eventOf =
  (type: Event['type']) =>
  ({ metadata: { name, namespace, uid } }: OSArtifact, reason: ArtifactReason, message: string): Event => ({
    about: { apiVersion: apiVersion(OS_ARTIFACT), kind: OS_ARTIFACT.kind, name, namespace, uid },
    type,
    reason,
    message,
  });

export const normalEvent = eventOf('Normal');
export const warningEvent = eventOf('Warning');

export const claimKept = (artifact: OSArtifact, claim: string): Event =>
  warningEvent(
    artifact,
    'ClaimKept',
    `PersistentVolumeClaim ${claim} was created with another spec.volume and is kept unchanged; delete it to have it created again`,
  );

export const volumeReplaced = (artifact: OSArtifact, index: number): Event =>
  warningEvent(
    artifact,
    'VolumeReplaced',
    `exporter ${index} declares a volume named artifacts: it is replaced by the one with the built files`,
  );
