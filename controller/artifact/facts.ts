/** What can be seen of an OSArtifact, and what can be done about it. */
import type { OSArtifactStatus } from '../../api/os-artifact.js';
import type { OSArtifact } from '../../api/objects.js';
import type { Event } from '../../kube/recorder.js';
import type { CachedJob } from '../cluster/job.js';
import type { CachedPod } from '../cluster/pod.js';
import type { Export } from './progress/exporter-progress.js';
import type { Build } from './build/build.js';
import type { Rendered } from './build/volume-objects.js';

/** What the build is made of, beside the spec. */
export type Input =
  /** Nobody has asked: there is a build of this spec already. */
  | { is: 'unread' }
  | { is: 'missing'; message: string }
  | { is: 'wrong'; message: string }
  | { is: 'ready'; rendered: Rendered; id: string };

export interface Facts {
  now: Date;
  artifact: OSArtifact;
  build: Build;
  /** With what every id of a build of this spec begins. */
  specId: string;
  /** The build of this spec that there is or was. */
  id?: string;
  input: Input;
  /** The builder Pod of that build. */
  pod?: CachedPod;
  exporters: readonly Export[];
  /** Of an earlier spec or another input. */
  stale: { pods: readonly CachedPod[]; jobs: readonly CachedJob[] };
}

export type Action =
  | { do: 'build'; id: string; attempt: number; rendered: Rendered }
  | { do: 'export'; id: string; index: number }
  | { do: 'deletePod'; pod: CachedPod }
  | { do: 'deleteJob'; job: CachedJob }
  /** One of the Go operator's, with no clean-up behind it. */
  | { do: 'dropFinalizer' };

export interface Plan {
  status?: OSArtifactStatus;
  events: readonly Event[];
  actions: readonly Action[];
  /** Absent: nothing more is to come. */
  requeueAfterMs?: number;
}
