/** Names and addresses of a real cluster. All of them contain its index, so that two clusters can run side by side. */

export interface NodePlan {
  name: string;
  controlPlane?: boolean;
  /** Adds the usual taint of control-plane nodes, which keeps ordinary pods away. */
  taint?: boolean;
}

/** Network settings and control group of one node. */
export interface NodeLayout {
  name: string;
  /** Position in the plan, from 1. */
  number: number;
  ip: string;
  podRange: string;
  veth: string;
  cgroup: string;
}

export interface Layout {
  index: number;
  bridge: string;
  /** Address of the bridge: the API server listens on it, and it is the gateway of the nodes. */
  gateway: string;
  nodeRange: string;
  podRange: string;
  serviceRange: string;
  nodes: NodeLayout[];
}

const SERVICE_RANGE = '10.96.0.0/16'; // The same for every cluster, because Service addresses are translated inside each node.

export function layoutOf(index: number, names: readonly string[]): Layout {
  if (!Number.isInteger(index) || index < 0 || index > 9)
    throw new Error(`The cluster index must be an integer from 0 to 9, not ${index}.`);
  if (names.length > 20) throw new Error('A real cluster has at most 20 nodes.');
  const bridge = `kop${index}`;
  return {
    index,
    bridge,
    gateway: `10.89.${index}.1`,
    nodeRange: `10.89.${index}.0/24`,
    podRange: `10.${100 + index}.0.0/16`,
    serviceRange: SERVICE_RANGE,
    nodes: names.map((name, position) => {
      const number = position + 1;
      return {
        name,
        number,
        ip: `10.89.${index}.${10 + number}`,
        podRange: `10.${100 + index}.${number}.0/24`,
        veth: `${bridge}v${number}`,
        cgroup: `${bridge}-${name}`,
      };
    }),
  };
}
