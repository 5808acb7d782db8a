/** Names of the objects that the legacy operator, the one written in Go, leaves in a cluster. */

/** Its Deployment: in the namespace of its published manifests, or in the one that this operator runs in. */
export const LEGACY_DEPLOYMENT = 'operator-kairos-operator';
export const LEGACY_NAMESPACE = 'operator-system';

/** Name of its DaemonSet, ClusterRole and ClusterRoleBinding for node labels, and value of the label `app` on its labeler Jobs. */
export const LABELER = 'kairos-node-labeler';

/** ClusterRole that lets its reboot Pods read and patch every Pod of the cluster. Without it the bindings grant nothing. */
export const REBOOT_ROLE = 'nodeop-reboot';
export const rebootBindingName = (nodeOp: string): string => `nodeop-reboot-${nodeOp}`;

/** On its NodeOps with reboot, so that the binding is deleted with them. */
export const LEGACY_FINALIZER = 'nodeop-reboot.kairos.io/clusterrolebinding';

export { REBOOT_STATE } from '../cluster/kept-annotations.js';
