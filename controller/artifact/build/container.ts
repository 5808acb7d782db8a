/** One step of a build → its container. */
import type { ArtifactKind } from '../../../api/artifact-kinds.js';
import type { Json, NamedObject } from '../../../api/passthrough.js';
import type { Build } from './build.js';
import { STEP_RUNNER } from './scripts/step-runner.js';

/** Images and limits of builds: settings of the operator. */
export interface Tools {
  /** Image with auroraboot. */
  tool: string;
  /** Image with buildah. */
  buildah: string;
  kairosInit: string;
  /** `activeDeadlineSeconds` of the builder Pod. */
  deadlineSeconds: number;
  /** How much the steps may write beside their results, apart from disks. */
  scratchGiB: number;
  /** Whether buildah runs without the AppArmor and seccomp profiles of the runtime, which may forbid it to unshare and mount. */
  unconfinedBuildah: boolean;
}

export interface Mount {
  name: string;
  mountPath: string;
  subPath?: string;
  readOnly?: boolean;
}

export interface Step {
  name: string;
  /** Image that it runs in. */
  runs: 'tool' | 'buildah';
  script: string;
  mounts: readonly Mount[];
  env?: readonly NamedObject[];
  privileged?: boolean;
  /** The kind of artifact whose `resources` apply. */
  kind?: ArtifactKind;
  /** Paths below /artifacts of the files that the step creates, as shell patterns. */
  files?: readonly string[];
}

/** What buildah needs to unpack layers without privileges on the host. */
const BUILDAH_SECURITY = { allowPrivilegeEscalation: true, capabilities: { add: ['SETUID', 'SETGID'] } };

const UNCONFINED = { seccompProfile: { type: 'Unconfined' }, appArmorProfile: { type: 'Unconfined' } };

function securityOf({ runs, privileged }: Step, { unconfinedBuildah }: Tools) {
  if (privileged) return { securityContext: { privileged: true } };
  if (runs !== 'buildah') return {};
  return { securityContext: { ...BUILDAH_SECURITY, ...(unconfinedBuildah ? UNCONFINED : {}) } };
}

function resourcesOf({ kind }: Step, { resources }: Build): { resources?: Json } {
  const found = (kind && resources[kind]) ?? resources.pod;
  return found ? { resources: found } : {};
}

/** The kubelet keeps this many bytes of termination messages per Pod, shared evenly between its containers. */
const POD_MESSAGE_BYTES = 12 * 1024;
/** The end of a log is enough to identify an error. */
const MAX_MESSAGE_BYTES = 2 * 1024;

/** `count`: containers of the Pod. */
export const containerOf = (step: Step, build: Build, { tools, count }: { tools: Tools; count: number }) => ({
  name: step.name,
  image: step.runs === 'buildah' ? tools.buildah : tools.tool,
  imagePullPolicy: 'IfNotPresent',
  command: ['/bin/bash', '-c', STEP_RUNNER],
  args: [
    step.script,
    String(Math.min(MAX_MESSAGE_BYTES, Math.floor(POD_MESSAGE_BYTES / count))),
    ...(step.files ?? []),
  ],
  ...(step.env && step.env.length > 0 ? { env: step.env } : {}),
  volumeMounts: step.mounts,
  ...securityOf(step, tools),
  ...resourcesOf(step, build),
  /* Never the log itself, in which the tools write the cloud-config: that of a step that is killed before the runner writes a message. */
  terminationMessagePolicy: 'File',
});
