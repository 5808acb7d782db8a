/** What is observed about an OSArtifact, and what can be done about it. */
import type { OSArtifact } from '../../api/objects.js';
import type { OSArtifactStatus } from '../../api/os-artifact.js';
import type { Event } from '../../kube/event-recorder.js';
import type { CachedJob } from '../cluster/job.js';
import type { CachedPod } from '../cluster/pod.js';
import type { Build } from './build/build.js';
import type { Rendered } from './build/volume-objects.js';
import type { Exporter } from './progress/exporter-progress.js';

/** The Secrets and ConfigMaps that a build uses. */
export type InputState =
  /** They are not read while a build of this spec exists. */
  | { is: 'unread' }
  | { is: 'missing'; message: string }
  | { is: 'invalid'; message: string }
  | { is: 'ready'; rendered: Rendered; id: string };

export interface Facts {
  now: Date;
  artifact: OSArtifact;
  build: Build;
  /** Prefix of the ids of all builds of this spec. */
  specId: string;
  /** The current build of this spec, if there is or was one. */
  id?: string;
  input: InputState;
  /** The builder Pod of that build. */
  pod?: CachedPod;
  exporters: readonly Exporter[];
  /** Objects of an earlier spec or of earlier inputs. */
  stale: { pods: readonly CachedPod[]; jobs: readonly CachedJob[] };
}

export type Action =
  | { do: 'build'; id: string; attempt: number; rendered: Rendered }
  | { do: 'export'; id: string; index: number }
  | { do: 'deletePod'; pod: CachedPod }
  | { do: 'deleteJob'; job: CachedJob }
  | { do: 'removeLegacyFinalizer' };

/** Set by the Go operator. No clean-up depends on it. */
export const LEGACY_FINALIZER = 'build.kairos.io/osbuilder-finalizer';

export interface Plan {
  status?: OSArtifactStatus;
  events: readonly Event[];
  actions: readonly Action[];
  /** Absent where only a change of an object can lead to a next step. */
  requeueAfterMs?: number;
}
