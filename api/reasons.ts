/** Every reason that the status of an operation or an Event may have, each with the sentence that explains it. */

export const REASONS = {
  // how a node finished
  Done: 'The node completed successfully.',
  Skipped: 'The preflight found that there is nothing to do on the node.',
  AgentNotAnswering: 'The agent of the node did not answer within 60 seconds.',
  StateDirNotWritable: 'The agent cannot write to its state directory on the host, so it could not reboot the node.',
  PreflightFailed: 'The preflight refused the node or failed.',
  PreflightTimeout: 'The preflight ran longer than preflight.activeDeadlineSeconds.',
  ImagePullFailed: 'The image could not be pulled on the node.',
  DrainTimeout: 'Pods were still running on the node after drainOptions.timeoutSeconds.',
  DrainRefused: 'The node runs DaemonSet pods and drainOptions.ignoreDaemonSets is false.',
  NotStarted:
    'The Pod of the Job, or a Pod needed before it, did not start, the node could not be cordoned, or the turn of the control planes could not be taken, within startDeadlineSeconds.',
  PodRefused: 'The API server rejected the Pod of the Job.',
  JobTimeout: 'The Job ran longer than activeDeadlineSeconds.',
  JobFailed: 'The command failed and backoffLimit allows no further retry.',
  SentinelFailed:
    'The command succeeded, but that could not be recorded on the node, so the node was not rebooted. The command was not repeated.',
  JobDeleted: 'The Job was deleted by something else; the operator does not create it again.',
  UncordonRefused:
    'The API server refused to uncordon the node for startDeadlineSeconds; everything else completed, and the node stays cordoned.',
  Unreachable: 'The node was not Ready for longer than rebootTimeoutSeconds.',
  NotRebooted: 'The node did not reboot within rebootTimeoutSeconds.',
  NotSettled:
    'The node, its DaemonSet pods or its static pods did not become Ready within verifyTimeoutSeconds after the reboot.',
  FellBack: 'After the reboot the node runs another version, or booted another system, than requested.',
  NodeReplaced:
    'Another machine registered under the same name, or the Node was created again before the command had succeeded.',
  NodeRemoved:
    'The node is no longer part of the cluster. While it is being rebooted, it may come back within rebootTimeoutSeconds.',
  NodeNotReady: 'The node was not Ready when its turn came.',
  Deleted: 'The operation was deleted.',
  Interrupted: 'The Go operator had started work on the node, and it is unknown how far it got.',
  // what a node is waiting for
  WaitingForTurn: 'Other nodes of this operation come first.',
  WaitingForOperation: 'Another operation has claimed the node, or was created earlier and still has to work on it.',
  WaitingForAgent: 'The agent of the node has not answered yet.',
  WaitingForControlPlanes: 'Workers start when all control-plane nodes have finished.',
  Pulling: 'The image is being pulled.',
  Draining: 'Pods are being evicted from the node.',
  JobRunning: 'The Job is running.',
  Rebooting: 'The node is rebooting, or its Node was deleted meanwhile and has to be registered again.',
  Settling: 'The node has rebooted; it, its DaemonSet pods and its static pods are becoming Ready.',
  Paused: 'The operation is paused.',
  Stopped: 'Another node failed and stopOnFailure is true.',
  ControlPlaneNotReady: 'Another control-plane node, or a static pod on it, is not Ready.',
  // the operation as a whole
  NoTargets: 'No node matches nodeSelector.',
  Progressing: 'Nodes are being worked on.',
  AllDone: 'All target nodes completed.',
  NodesFailed: 'At least one node failed.',
  NameTaken: 'A NodeOp with this name exists and does not belong to this NodeOpUpgrade.',
  NodeOpDeleted: 'The NodeOp of this upgrade was deleted; the operator does not create it again.',
  ProbeFailed: 'The upgrade image could not be read.',
  Probing: 'The upgrade image is being read.',
  NamespaceNotAllowed: 'The operator is not allowed to serve this namespace.',
  Restored:
    'The object was restored from a backup, or copied from one that had started. Nothing is run until a retry is requested.',
  InvalidSpec: 'The spec violates a rule that the admission webhook would have rejected.',
  // further Events
  Started: 'The node was claimed by the operation.',
  Cordoned: 'The node was cordoned.',
  Uncordoned: 'The node was uncordoned.',
  DrainBlocked: 'A pod could not be evicted.',
  DrainSkipped: 'The node was not drained because no other node can run its pods.',
  PodsStay: 'Pods stay on the node because of the drain options, or because their controller puts them back there.',
  RebootAsked: 'The agent was asked to reboot the node.',
  Rebooted: 'The node rebooted; its boot id changed.',
  RegisteredAnew:
    'The Node was deleted when it was to be rebooted, and its machine has registered again; the operation continues.',
  PreflightWarning: 'The target differs from the node: an older version, another flavor, or another model.',
  ClockSkew: 'The clock of the node differs from that of the controller by more than five minutes.',
  Retried: 'Nodes that failed or never started are retried.',
  TakenOver: 'The operation was started by the Go operator and continues.',
} as const;

export type Reason = keyof typeof REASONS;
export const REASON_NAMES = Object.keys(REASONS) as [Reason, ...Reason[]];
