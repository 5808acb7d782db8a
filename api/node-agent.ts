/**
 * NodeAgent: the only channel between the controller and the agent of a node, and the ledger of the operation on that node. There is one per
 * Linux node, cluster-scoped, with the name of the node. Only the controller writes `spec`, and only the agent of that node writes `status`.
 */
import * as z from 'zod';
import { FirstSeen, time } from './meta.js';
import { Fence } from './fence.js';
import { STEP_NAMES } from './node-status.js';
import { REASON_NAMES } from './reasons.js';
import { Release } from './release.js';

/** Contract version that controller and agent compare. It is raised when an older version of either would misunderstand the other. */
export const CONTRACT = 1;

/** The target of an upgrade, as far as the controller knows it. Fields that are absent are not compared. */
export const ReleaseCheck = z.object({
  version: z.string().optional().describe('Version triple of the target system; unknown when absent.'),
  digest: z.string().optional().describe('Digest of the image, if the container runtime reported it.'),
  flavor: z
    .string()
    .optional()
    .describe('Flavor of the target system; a different flavor on the node causes a warning.'),
  model: z.string().optional().describe('Model of the target system; a different model on the node causes a warning.'),
  arch: z.string().optional().describe('CPU architecture of the target system.'),
  trustedBoot: z.boolean().optional().describe('Whether the target system is made for trusted boot.'),
  skipIfCurrent: z
    .boolean()
    .optional()
    .describe('Whether to skip a node that already runs this version from its active system.'),
  allow: z.array(z.string()).optional().describe('Guards that do not apply.'),
  kubernetesMinor: z
    .string()
    .optional()
    .describe('Kubernetes minor version of the target system, such as 1.34; unknown when absent.'),
});
export type ReleaseCheck = z.infer<typeof ReleaseCheck>;

const Check = z.object({
  release: ReleaseCheck.describe('Release to compare the host with.'),
  kubernetesCeiling: z
    .string()
    .optional()
    .describe('For workers: lowest Kubernetes minor version among the control-plane nodes.'),
});

/** The ledger. Each field is written before the action that it records, as a compare-and-swap on resourceVersion. */
export const Operation = z.object({
  id: z.string().describe('UID of the NodeOp and number of the attempt. The agent copies it to its answers.'),
  nodeOp: z
    .object({
      namespace: z.string().describe('Namespace of the NodeOp.'),
      name: z.string().describe('Name of the NodeOp.'),
      uid: z.string().describe('UID of the NodeOp.'),
    })
    .describe('NodeOp that has claimed the node.'),
  nodeUid: z
    .string()
    .describe(
      'UID of the Node: when it was claimed, or of the Node under which the same machine has registered since.',
    ),
  step: z.enum(STEP_NAMES).describe('Furthest step reached.'),
  stepTimes: z.record(z.string(), z.string()).describe('Start time of each step.'),
  controlPlane: z
    .boolean()
    .optional()
    .describe('Whether this operation holds the lease that is needed to disrupt a control-plane node.'),
  cordoned: z.boolean().optional().describe('The operation cordoned the node, or was about to.'),
  drainSkipped: z.boolean().optional().describe('The drain was skipped because no other node can run the pods.'),
  job: z
    .object({
      name: z.string().describe('Name of the Job.'),
      uid: z.string().describe('UID of the Job.'),
      succeededIn: z
        .string()
        .optional()
        .describe(
          'Set when the command was seen to have succeeded before the Job was Complete: boot ID in which it did, or empty when that is not known.',
        ),
      added: z
        .array(z.string())
        .optional()
        .describe('Containers that something else added to the Pod and that still ran when the command had ended.'),
      failure: z
        .object({
          podUid: z.string().describe('UID of the Pod.'),
          exitCode: z.int32().describe('Exit code of the command.'),
          log: z.string().optional().describe('Last lines of its log.'),
        })
        .optional()
        .describe('The last failed Pod that was deleted because something else kept it running.'),
    })
    .optional()
    .describe('Job of the operation on this node.'),
  waiting: FirstSeen.optional().describe('A wait of which the start could not be observed again.'),
  pullRefusal: FirstSeen.optional().describe(
    'The first time that a registry refused the image of a container. The refusal is final when the kubelet has tried again.',
  ),
  notReadySince: time(
    'When the controller first saw the node not Ready in this step; absent while it is Ready.',
  ).optional(),
  bootIdBefore: z.string().optional().describe('Boot ID of the node before its Job.'),
  systemUUID: z
    .string()
    .optional()
    .describe(
      'System UUID of a machine that is to be rebooted, before its Job. By it, the machine is recognized if its Node is deleted meanwhile.',
    ),
  daemonSets: z
    .array(z.string())
    .optional()
    .describe('UIDs of the DaemonSets whose pods were Ready on the node before its Job.'),
  staticPods: z
    .array(z.string())
    .optional()
    .describe('Namespaces and names of the static pods that were Ready on the node before its Job.'),
  staticPodsRemoved: z.array(z.string()).optional().describe('Static pods that are gone since the reboot.'),
  containersBefore: z
    .array(z.string())
    .optional()
    .describe(
      'IDs of the containers of DaemonSet and static pods before the reboot. After it, new containers must run.',
    ),
  check: Check.optional().describe('Question to the agent: is there anything to do on this host, and is it allowed?'),
  reboot: z
    .object({
      jobName: z.string().describe('Job whose sentinel must exist on the host.'),
      notAfter: time(
        'Deadline by the clock of the controller. An agent that knows timeoutSeconds does not compare it with its own clock.',
      ),
      timeoutSeconds: z
        .int()
        .optional()
        .describe(
          'How long after it first saw the request the agent may start a reboot; when absent, notAfter counts.',
        ),
      succeededIn: z
        .string()
        .optional()
        .describe(
          'Boot ID in which the controller saw the command succeed, for a Job whose sentinel was never written. It replaces the sentinel.',
        ),
    })
    .optional()
    .describe(
      'Request to the agent: reboot once. Set only after the command has succeeded; removed to withdraw the request.',
    ),
  rebootWithdrawn: z.boolean().optional().describe('The reboot request was withdrawn.'),
  readySince: time('When node and pods were first observed Ready after the reboot.').optional(),
  result: z
    .object({
      phase: z.enum(['Completed', 'Failed']).describe('Final phase of the node.'),
      reason: z.enum(REASON_NAMES).optional().describe('Reason in one CamelCase word.'),
      message: z.string().describe('Human-readable message.'),
      log: z.string().optional().describe('Last lines of the log of the failed container.'),
      exitCode: z.int32().optional().describe('Exit code of the failed container.'),
      bootIdAfter: z.string().optional().describe('Boot ID after the reboot.'),
      at: time('When the node finished.'),
    })
    .optional()
    .describe('Final result of the node; set before the node is released.'),
});
export type Operation = z.infer<typeof Operation>;

export const NodeAgentSpec = z.object({
  labels: z
    .boolean()
    .default(true)
    .describe('Whether the agent labels the Node; false while the Node has the label kairos.io/managed=false.'),
  operation: Operation.optional().describe('Operation that has claimed the node; absent when the node is not claimed.'),
});
export type NodeAgentSpec = z.infer<typeof NodeAgentSpec>;

/** The systems of a Kairos host, as in its label `kairos.io/boot-state`. */
export const BOOT_STATES = ['active', 'passive', 'recovery', 'livecd', 'unknown'] as const;
export type BootState = (typeof BOOT_STATES)[number];

const CheckAnswer = z.object({
  verdict: z.enum(['Proceed', 'Skip', 'Refuse']).describe('Proceed, Skip (nothing to do) or Refuse (not allowed).'),
  reason: z.string().optional().describe('Reason in one CamelCase word.'),
  message: z.string().optional().describe('Human-readable message.'),
  warnings: z.array(z.string()).optional().describe('Differences that do not prevent the operation.'),
});

const RebootAnswer = z.object({
  state: z
    .enum(['Waiting', 'Rebooting', 'Rebooted', 'Cancelled', 'Failed'])
    .describe('Waiting (for the sentinel), Rebooting, Rebooted, Cancelled or Failed.'),
  bootIdBefore: z.string().optional().describe('Boot ID when the reboot was started.'),
  startedAt: time('When the reboot was started.').optional(),
  method: z
    .enum(['systemctl', 'signal', 'command'])
    .optional()
    .describe(
      'How the reboot was called: systemctl (systemctl reboot), signal (SIGRTMIN+5 to systemd) or command (the reboot command of the host).',
    ),
  bootIdAfter: z.string().optional().describe('Boot ID after the reboot.'),
  bootedAt: time('When the machine booted again.').optional(),
  recordedOnHost: z
    .boolean()
    .optional()
    .describe(
      'Whether the disk of the host proves that the operation ran on this machine; otherwise the reboot was concluded from the NodeAgent alone.',
    ),
  message: z.string().optional().describe('Human-readable message.'),
});

const System = z.object({
  vendor: z.string().optional().describe('Vendor of the machine.'),
  product: z.string().optional().describe('Product name of the machine.'),
  serial: z.string().optional().describe('Serial number of the machine.'),
  cpu: z
    .object({
      model: z.string().optional().describe('Model name of the processor.'),
      cores: z.int().optional().describe('Number of logical processors.'),
    })
    .optional()
    .describe('Processor.'),
  memoryBytes: z.int().optional().describe('Memory in bytes, as the kernel reports it.'),
  disks: z
    .array(
      z.object({
        name: z.string().describe('Name of the block device, such as sda.'),
        sizeBytes: z.int().describe('Size in bytes.'),
        model: z.string().optional().describe('Model name of the disk.'),
      }),
    )
    .optional()
    .describe('Disks of the machine.'),
  networks: z
    .array(
      z.object({
        name: z.string().describe('Name of the interface, such as eth0.'),
        mac: z.string().optional().describe('MAC address.'),
        speedMbps: z.int().optional().describe('Link speed in Mbit/s, while the link is up.'),
      }),
    )
    .optional()
    .describe('Physical network interfaces of the machine.'),
});

export const NodeAgentStatus = z.object({
  observedGeneration: z.int().optional().describe('metadata.generation that this status is based on.'),
  agentVersion: z.string().optional().describe('Version of the agent.'),
  contract: z
    .int()
    .optional()
    .describe('Version of the contract between controller and agent that the agent implements.'),
  stateDir: z.string().optional().describe('Directory on the host with the journal and the sentinels.'),
  stateDirError: z
    .string()
    .optional()
    .describe(
      'Why the agent cannot write to stateDir; absent when it can. Checked at its start and for each operation.',
    ),
  fileErrors: z
    .array(z.string())
    .optional()
    .describe(
      'Files of the host that the agent does not read, with the reason, such as a link in place of a sentinel; at most 8. Absent when there are none.',
    ),
  boot: z
    .object({
      id: z.string().describe('Boot ID of the host.'),
      since: time('When the host booted, by the clock of the API server.'),
      state: z.enum(BOOT_STATES).describe('System that the host booted: active, passive, recovery, livecd or unknown.'),
    })
    .optional()
    .describe('Current boot of the host.'),
  release: Release.optional().describe(
    'Kairos release of the host, as read in the current boot; absent when the host is not Kairos, or while its release files cannot be read.',
  ),
  labeled: z.boolean().optional().describe('Whether the Node has, or may have, labels of the agent.'),
  system: System.optional().describe('Hardware of the machine; present only when SYSTEM_FACTS is true for the agent.'),
  operation: z
    .object({
      id: z.string().describe('Copy of spec.operation.id that the answers belong to.'),
      seenAt: time('When the agent first saw the operation, by the clock of the node.').optional(),
      rebootSeenUptimeSeconds: z
        .int()
        .optional()
        .describe('Seconds between the boot of the host and the first sight of spec.operation.reboot.'),
      check: CheckAnswer.optional().describe('Answer to spec.operation.check.'),
      reboot: RebootAnswer.optional().describe('Answer to spec.operation.reboot.'),
    })
    .optional()
    .describe('Answers to spec.operation.'),
  fence: Fence.optional().describe('Result of a dry run on another Node, every hour until it is Fenced.'),
  fellBack: z
    .object({
      version: z.string().optional().describe('Version triple that the node fell back from.'),
      digest: z.string().optional().describe('Digest of the image of that version.'),
      at: time('When the host booted the other system.'),
    })
    .optional()
    .describe('Last upgrade target that the node did not boot into.'),
});
export type NodeAgentStatus = z.infer<typeof NodeAgentStatus>;
export type System = z.infer<typeof System>;
export type RebootAnswer = z.infer<typeof RebootAnswer>;
export type CheckAnswer = z.infer<typeof CheckAnswer>;
