/** One step of a build → its container. */
import type { Json, Named } from '../../../api/passthrough.js';
import type { Output } from '../../../api/os-artifact.js';
import type { Build } from './build.js';

/** What to build with; settings of the operator. */
export interface Tools {
  /** Image with auroraboot. */
  tool: string;
  /** Image with buildah. */
  buildah: string;
  kairosInit: string;
  /** A build that is not done by then never will be. */
  deadlineSeconds: number;
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
  /** Paths below /artifacts of the files it makes, as a shell finds them. */
  makes?: readonly string[];
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

/** Where a step lists further files that it made, if it cannot know their names before. */
export const MADE_TOO = '/tmp/.files';

/**
 * Runs a script ($0). Its last word is, after a success, one line for each of the files it made ($2 and so on): checksum, bytes, path; after a
 * failure the end of what it said ($1: how many bytes). The kubelet would leave that, too, but where a Pod has many containers it cuts off
 * just the end, where the fault stands. A step that left a word of its own keeps it. One that did not make what it should have made failed.
 */
const TELLING = [
  '/bin/bash -cxe "$0" 2>&1 | tee /tmp/.said',
  'code=${PIPESTATUS[0]}',
  'if [ "$code" != 0 ]; then [ -s /dev/termination-log ] || tail -c "$1" /tmp/.said > /dev/termination-log; exit "$code"; fi',
  'shift',
  'cd /artifacts 2> /tmp/.said || exit 0',
  `for file in $@ $(cat ${MADE_TOO} 2> /dev/null); do`,
  '  [ -f "$file" ] || { echo "it ended well, but there is no $file" > /dev/termination-log; exit 1; }',
  '  echo "$(sha256sum < "$file" | cut -d " " -f 1) $(stat -c %s "$file") $file"',
  'done > /tmp/.made',
  '[ ! -s /tmp/.made ] || cat /tmp/.made > /dev/termination-log',
].join('\n');

/** So much the kubelet keeps of the last words of all containers of a Pod, shared evenly. */
const KEPT_BYTES = 12 * 1024;
/** The end of a log is enough to see a fault by. */
const MOST_BYTES = 2 * 1024;

/** `among`: how many containers the Pod has. */
export const containerOf = (step: Step, build: Build, { tools, among }: { tools: Tools; among: number }) => ({
  name: step.name,
  image: step.runs === 'buildah' ? tools.buildah : tools.tool,
  imagePullPolicy: 'IfNotPresent',
  command: ['/bin/bash', '-c', TELLING],
  args: [step.script, String(Math.min(MOST_BYTES, Math.floor(KEPT_BYTES / among))), ...(step.makes ?? [])],
  ...(step.env && step.env.length > 0 ? { env: step.env } : {}),
  volumeMounts: step.mounts,
  ...securityOf(step),
  ...resourcesOf(step, build),
  /* For a step that was not even begun. */
  terminationMessagePolicy: 'FallbackToLogsOnError',
});
