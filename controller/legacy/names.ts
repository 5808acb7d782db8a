/** What the operator written in Go leaves in a cluster, by the names it gives. */

/** Its Deployment, in the namespace of its published manifests or wherever ours is. */
export const LEGACY_DEPLOYMENT = 'operator-kairos-operator';
export const LEGACY_NAMESPACE = 'operator-system';

/** Name of its DaemonSet, its ClusterRole and its ClusterRoleBinding for labels, and the value of `app` on its Jobs. */
export const LABELER = 'kairos-node-labeler';

/** Its reboot Pods may do with every Pod of the cluster what this ClusterRole says; without it their bindings say nothing. */
export const REBOOT_ROLE = 'nodeop-reboot';
export const bindingOf = (nodeOp: string): string => `nodeop-reboot-${nodeOp}`;

/** On its NodeOps with reboot, to have the binding removed. */
export const LEGACY_FINALIZER = 'nodeop-reboot.kairos.io/clusterrolebinding';

/** On a reboot Pod, "completed": it is about to reboot its node, or has. Never taken back. */
export const REBOOT_STATE = 'kairos.io/reboot-state';
