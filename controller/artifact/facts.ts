/** What is observed about an OSArtifact, and what can be done about it. */
import type { OSArtifact } from '../../api/objects.js';
import type { OSArtifactStatus } from '../../api/os-artifact.js';
import type { Event } from '../../kube/event-recorder.js';
import type { CachedJob } from '../cluster/job.js';
import type { CachedPod } from '../cluster/pod.js';
import type { Build } from './build/build.js';
import type { Exporter } from './progress/exporter-progress.js';
import type { TemplateJob } from './template/worker.js';

/** What a build uses of Secrets, before it is rendered. */
export interface BuildInputs {
  /** `what`: names the template in messages. */
  template?: TemplateJob & { what: string };
  /** A config.json with the credentials for registries. */
  credentials?: string;
  /** About inputs that the build goes on without. */
  warnings: readonly string[];
}

/** The Secrets and ConfigMaps that a build uses. */
export type InputState =
  /** They are not read while a build of this spec exists. */
  | { is: 'unread' }
  | { is: 'missing'; message: string }
  | { is: 'invalid'; message: string }
  | { is: 'ready'; inputs: BuildInputs; id: string };

export interface Facts {
  now: Date;
  /** Identifies this run of the controller. */
  run: string;
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
  /** Whether only one Pod at a time can use the volume with the built files. */
  isExclusive: boolean;
  /** Objects of an earlier spec or of earlier inputs. */
  stale: { pods: readonly CachedPod[]; jobs: readonly CachedJob[] };
}

export type Action =
  | { do: 'build'; id: string; attempt: number; inputs: BuildInputs }
  | { do: 'export'; id: string; index: number; node?: string }
  | { do: 'deletePod'; pod: CachedPod }
  | { do: 'deleteJob'; job: CachedJob }
  | { do: 'removeLegacyFinalizer' };

/** Set by the Go operator. No clean-up depends on it. */
export const LEGACY_FINALIZER = 'build.kairos.io/osbuilder-finalizer';

export interface Plan {
  status?: OSArtifactStatus;
  events: readonly Event[];
  actions: readonly Action[];
  /** The status records what the actions begin, so it is written before them. */
  reportFirst?: boolean;
  /** Absent where only a change of an object can lead to a next step. */
  requeueAfterMs?: number;
}
