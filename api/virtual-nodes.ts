/**
 * Nodes without a machine of their own, on which there is no host to work on: those of Virtual Kubelet providers, of serverless offers, of
 * clusters joined into one, and simulated ones. Controller and webhook never select them, and the agent does not run there.
 */

/** A node with one of these values of a label is virtual. The agent's DaemonSet excludes exactly these. */
export const VIRTUAL_NODE_LABELS: Readonly<Record<string, readonly string[]>> = {
  /** Virtual Kubelet and most of its providers, older releases of Liqo, kwok, and Krustlet. */
  type: ['virtual-kubelet', 'virtual-node', 'kwok', 'krustlet'],
  /** Nodes that Karpenter makes with kwok. */
  'kwok.x-k8s.io/node': ['fake'],
  /** Kosmos. */
  'kosmos.io/node': ['true'],
  /** Amazon EKS on Fargate. */
  'eks.amazonaws.com/compute-type': ['fargate'],
  /** Liqo. */
  'liqo.io/type': ['virtual-node'],
  /** interLink. */
  'virtual-node.interlink/type': ['virtual-kubelet'],
  /** Super nodes of Tencent Kubernetes Engine. */
  'node.kubernetes.io/instance-type': ['eklet'],
  /** Nodes that vCluster shows in place of those of its host cluster. */
  'vcluster.loft.sh/fake-node': ['true'],
  /** Oracle Kubernetes Engine. */
  'node-role.kubernetes.io/virtual-node': ['', 'true'],
};

/** A node with one of these labels is virtual, whatever its value. The agent's DaemonSet excludes them as well. */
export const VIRTUAL_NODE_LABEL_KEYS: readonly string[] = ['virtual-kubelet.io/provider'];

/** A node with one of these taints is virtual, whatever its value and effect. */
export const VIRTUAL_NODE_TAINTS: readonly string[] = [
  'virtual-kubelet.io/provider',
  'kosmos.io/node',
  'azure.com/aci',
  'eks.tke.cloud.tencent.com/eklet',
  'virtual-node.liqo.io/not-allowed',
  'virtual-node.interlink/no-schedule',
  'kwok.x-k8s.io/node',
];

/** Taints whose value decides, because other nodes may have the key as well. */
const VIRTUAL_NODE_TAINT_VALUES: Readonly<Record<string, string>> = {
  'eks.amazonaws.com/compute-type': 'fargate',
  /* Volcano Engine. */
  'vci.vke.volcengine.com/node-type': 'vci',
};

export interface NodeTraits {
  labels?: Readonly<Record<string, string>>;
  taints?: readonly { key: string; value?: string }[];
}

export const isVirtualNode = ({ labels = {}, taints = [] }: NodeTraits): boolean =>
  Object.entries(VIRTUAL_NODE_LABELS).some(([key, values]) => isAmong(labels[key], values)) ||
  VIRTUAL_NODE_LABEL_KEYS.some(key => labels[key] !== undefined) ||
  taints.some(
    ({ key, value }) =>
      VIRTUAL_NODE_TAINTS.includes(key) || (value !== undefined && VIRTUAL_NODE_TAINT_VALUES[key] === value),
  );

const isAmong = (value: string | undefined, values: readonly string[]): boolean =>
  value !== undefined && values.includes(value);
