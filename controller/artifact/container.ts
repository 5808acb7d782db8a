/** One step of a build → its container. */
import type { Json, Named } from '../../api/handed-through.js';
import type { Output } from '../../api/os-artifact.js';
import type { Build } from './build.js';

/** Images of the tools; settings of the operator. */
export interface Tools {
  /** auroraboot. */
  tool: string;
  buildah: string;
  kairosInit: string;
}

export interface Mount {
  name: string;
  mountPath: string;
  subPath?: string;
  readOnly?: boolean;
}

export interface Step {
  name: string;
  runs: 'tool' | 'buildah';
  script: string;
  mounts: readonly Mount[];
  env?: readonly Named[];
  /** It makes loop devices, mounts file systems or the like. */
  privileged?: boolean;
  /** Whose resources it takes. */
  output?: Output;
}

/** What a build by a user that is not root in the host's eyes needs to unpack layers. */
const BUILDAH_SECURITY = { allowPrivilegeEscalation: true, capabilities: { add: ['SETUID', 'SETGID'] } };

function securityOf({ runs, privileged }: Step) {
  if (privileged) return { securityContext: { privileged: true } };
  return runs === 'buildah' ? { securityContext: BUILDAH_SECURITY } : {};
}

/** Steps run one after the other: what each may use, the whole Pod may use. */
function resourcesOf({ output }: Step, { resources }: Build): { resources?: Json } {
  const own = (output && resources[output]) ?? resources.pod;
  return own ? { resources: own } : {};
}

export const containerOf = (step: Step, build: Build, tools: Tools) => ({
  name: step.name,
  image: step.runs === 'buildah' ? tools.buildah : tools.tool,
  imagePullPolicy: 'IfNotPresent',
  command: ['/bin/bash', '-cxe'],
  args: [step.script],
  ...(step.env && step.env.length > 0 ? { env: step.env } : {}),
  volumeMounts: step.mounts,
  ...securityOf(step),
  ...resourcesOf(step, build),
  /* The end of the log is what the status says of a step that failed. */
  terminationMessagePolicy: 'FallbackToLogsOnError',
});
