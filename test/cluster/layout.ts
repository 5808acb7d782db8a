/** Names and addresses of the real cluster with a given index. All of them carry the index, so that two clusters can live side by side. */

export interface NodePlan {
  name: string;
  controlPlane?: boolean;
  /** Keeps ordinary pods off: the usual taint of control-plane nodes. */
  taint?: boolean;
}

/** One node with its place in the network. */
export interface NodePlace {
  name: string;
  /** From 1, in the order of the plan. */
  number: number;
  ip: string;
  podRange: string;
  veth: string;
  cgroup: string;
}

export interface Layout {
  index: number;
  bridge: string;
  /** The bridge's address: the API server, and the nodes' gateway. */
  gateway: string;
  nodeRange: string;
  podRange: string;
  serviceRange: string;
  nodes: NodePlace[];
}

const SERVICE_RANGE = '10.96.0.0/16'; // virtual addresses, translated inside each node only: the same for every cluster

export function layoutOf(index: number, names: readonly string[]): Layout {
  if (!Number.isInteger(index) || index < 0 || index > 9)
    throw new Error(`cluster index ${index} is not one of 0 to 9`);
  if (names.length > 20) throw new Error('at most 20 real nodes');
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
