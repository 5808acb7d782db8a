/**
 * NodeAgent: the only channel between the controller and the agent of a node, and the ledger of the walk over that node.
 * One per Linux node, cluster-scoped, same name. `spec` is written by the controller, `status` by that node's agent; neither writes the other's.
 */
import * as z from 'zod';
import { time } from './meta.js';
import { STEP_NAMES } from './node-status.js';
import { REASON_NAMES } from './reasons.js';
import { Release } from './release.js';

/** The number both sides compare; raised when an older side would misunderstand. */
export const CONTRACT = 1;

export const ReleaseCheck = z.object({
  version: z.string().optional().describe('Version triple of the wished system; unknown when absent.'),
  digest: z.string().optional().describe('Digest of the image, where the runtime told it.'),
  flavor: z.string().optional().describe('Flavor of the wished system; another one than the node has is warned of.'),
  model: z.string().optional().describe('Model of the wished system; another one than the node has is warned of.'),
  arch: z.string().optional().describe('CPU architecture of the wished system.'),
  trustedBoot: z.boolean().optional().describe('Whether the wished system is for trusted boot.'),
  skipIfCurrent: z
    .boolean()
    .optional()
    .describe('Whether a node that runs this version from its active system may be left alone.'),
  allow: z.array(z.string()).optional().describe('Guards that are lifted.'),
  kubernetesMinor: z
    .string()
    .optional()
    .describe('Kubernetes minor inside the wished system, such as 1.34; unknown when absent.'),
});
export type ReleaseCheck = z.infer<typeof ReleaseCheck>;

const Check = z.object({
  release: ReleaseCheck.describe('What to compare the host with.'),
  kubernetesCeiling: z.string().optional().describe('Lowest Kubernetes minor among the control planes, for workers.'),
});

/** Written before the act that makes it true; every write is a compare-and-swap on resourceVersion. */
export const Operation = z.object({
  id: z.string().describe('Uid of the NodeOp and attempt; the agent echoes it.'),
  nodeOp: z
    .object({
      namespace: z.string().describe('Namespace of the NodeOp.'),
      name: z.string().describe('Name of the NodeOp.'),
      uid: z.string().describe('Uid of the NodeOp.'),
    })
    .describe('Operation that holds the node.'),
  nodeUid: z.string().describe('Uid of the Node when it was claimed.'),
  step: z.enum(STEP_NAMES).describe('Furthest step reached.'),
  stepTimes: z.record(z.string(), z.string()).describe('When each step was begun.'),
  controlPlane: z
    .boolean()
    .optional()
    .describe('It is this walk, of all operations, that may disturb a control plane.'),
  cordoned: z.boolean().optional().describe('The operation has cordoned the node, or was about to.'),
  drainSkipped: z.boolean().optional().describe('There was no other node to drain to.'),
  job: z
    .object({ name: z.string().describe('Name of the Job.'), uid: z.string().describe('Uid of the Job.') })
    .optional()
    .describe('Job that was created for the node.'),
  bootIdBefore: z.string().optional().describe('Boot id of the node before its Job.'),
  daemonSets: z
    .array(z.string())
    .optional()
    .describe('Uids of the DaemonSets whose pods were Ready on the node before its Job.'),
  containersBefore: z
    .array(z.string())
    .optional()
    .describe('Ids of the containers of DaemonSet pods before the reboot; afterwards they must be others.'),
  check: Check.optional().describe('Question to the agent: is there anything to do on this host?'),
  reboot: z
    .object({
      jobName: z.string().describe('Job whose sentinel must be on the host.'),
      notAfter: time('When the wish ends.'),
    })
    .optional()
    .describe('Wish to the agent: reboot once. Set only after the Job is Complete; removed to withdraw it.'),
  rebootWithdrawn: z.boolean().optional().describe('The wish to reboot was taken back.'),
  readySince: time('When node and pods were first seen Ready after the reboot.').optional(),
  result: z
    .object({
      phase: z.enum(['Completed', 'Failed']).describe('How the node ended.'),
      reason: z.enum(REASON_NAMES).optional().describe('One word for why.'),
      message: z.string().describe('A sentence for people.'),
      log: z.string().optional().describe('Last lines of the log of a container that failed.'),
      exitCode: z.int32().optional().describe('Exit code of that container.'),
      bootIdAfter: z.string().optional().describe('Boot id after the reboot.'),
      at: time('When it ended.'),
    })
    .optional()
    .describe('How the node ended; set before it is released.'),
});
export type Operation = z.infer<typeof Operation>;

export const NodeAgentSpec = z.object({
  labels: z
    .boolean()
    .default(true)
    .describe('Whether the agent labels the Node; false while it carries kairos.io/managed=false.'),
  operation: Operation.optional().describe('Operation that this node belongs to; absent: the node is free.'),
});
export type NodeAgentSpec = z.infer<typeof NodeAgentSpec>;

export const BOOT_STATES = ['active', 'passive', 'recovery', 'livecd', 'unknown'] as const;
export type BootState = (typeof BOOT_STATES)[number];

const CheckAnswer = z.object({
  verdict: z.enum(['Proceed', 'Skip', 'Refuse']).describe('Proceed, Skip or Refuse.'),
  reason: z.string().optional().describe('One word for why.'),
  message: z.string().optional().describe('A sentence for people.'),
  warnings: z.array(z.string()).optional().describe('What is odd about it and holds nothing up.'),
});

const RebootAnswer = z.object({
  state: z
    .enum(['Waiting', 'Rebooting', 'Rebooted', 'Cancelled', 'Failed'])
    .describe('Waiting for the sentinel, Rebooting, Rebooted, Cancelled or Failed.'),
  bootIdBefore: z.string().optional().describe('Boot id when the reboot was begun.'),
  startedAt: time('When the reboot was begun.').optional(),
  bootIdAfter: z.string().optional().describe('Boot id afterwards.'),
  bootedAt: time('When the machine had started again.').optional(),
  message: z.string().optional().describe('A sentence for people.'),
});

const System = z.object({
  vendor: z.string().optional().describe('Maker of the machine.'),
  product: z.string().optional().describe('What its maker calls it.'),
  serial: z.string().optional().describe('Serial number of the machine.'),
  cpu: z
    .object({
      model: z.string().optional().describe('Brand of the processor.'),
      cores: z.int().optional().describe('Processors that the kernel sees.'),
    })
    .optional()
    .describe('Processor.'),
  memoryBytes: z.int().optional().describe('Memory that the kernel sees.'),
  disks: z
    .array(
      z.object({
        name: z.string().describe('Name of the device.'),
        sizeBytes: z.int().describe('Size.'),
        model: z.string().optional().describe('What its maker calls it.'),
      }),
    )
    .optional()
    .describe('Disks of the machine.'),
  networks: z
    .array(
      z.object({
        name: z.string().describe('Name of the interface.'),
        mac: z.string().optional().describe('Hardware address.'),
        speedMbps: z.int().optional().describe('Speed of the link, where it is up.'),
      }),
    )
    .optional()
    .describe('Network cards of the machine.'),
});

export const NodeAgentStatus = z.object({
  observedGeneration: z.int().optional().describe('metadata.generation the agent has acted on.'),
  agentVersion: z.string().optional().describe('Version of the agent.'),
  contract: z.int().optional().describe('Version of this contract that the agent keeps.'),
  stateDir: z.string().optional().describe('Folder on the host for journal and sentinels.'),
  boot: z
    .object({
      id: z.string().describe('Boot id of the host.'),
      since: time('When the host started.'),
      state: z.enum(BOOT_STATES).describe('System the host started from.'),
    })
    .optional()
    .describe('The running boot.'),
  release: Release.optional().describe('System on the host; absent where it is not Kairos.'),
  system: System.optional().describe(
    'The machine itself; present only where the agent is told to look, by SYSTEM_FACTS.',
  ),
  operation: z
    .object({
      id: z.string().describe('Echo of spec.operation.id.'),
      check: CheckAnswer.optional().describe('Answer to spec.operation.check.'),
      reboot: RebootAnswer.optional().describe('What became of spec.operation.reboot.'),
    })
    .optional()
    .describe('Answers to spec.operation.'),
  fellBack: z
    .object({
      version: z.string().optional().describe('Version triple that the node fell back from.'),
      digest: z.string().optional().describe('Digest of its image.'),
      at: time('When.'),
    })
    .optional()
    .describe('Last target that this node did not come up with.'),
});
export type NodeAgentStatus = z.infer<typeof NodeAgentStatus>;
export type System = z.infer<typeof System>;
export type RebootAnswer = z.infer<typeof RebootAnswer>;
export type CheckAnswer = z.infer<typeof CheckAnswer>;
