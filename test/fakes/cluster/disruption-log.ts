/** What the operator did to which node at which time, for those who check that it never did too much at once. */
import { NODE_AGENT } from '../../../api/kinds.js';
import { ANNOTATIONS } from '../../../api/names.js';
import { STEP_NAMES } from '../../../api/node-status.js';
import type { NodeAgent } from '../../../api/objects.js';
import { NODES } from '../../../kube/resources.js';
import type { FakeApiServer } from './api-server.js';
import type { NodeObject } from './object-types.js';
import type { Machine } from './machine.js';

/** How a node was from a moment on. */
export interface NodeDisruption {
  /** Seconds since the cluster began. */
  at: number;
  node: string;
  /** The NodeOp by whose mark it is cordoned. */
  cordonedBy?: string;
  /** The machine is off, for whatever reason. */
  down: boolean;
  /** The operation that holds it, and how far it has got. */
  claimedBy?: string;
  step?: string;
  /** The operation has come to its cordon, or past it, and its walk has not ended. */
  disruptive: boolean;
}

const CORDON = STEP_NAMES.indexOf('Cordon');

function disruptionOf(api: FakeApiServer, { name, up }: Machine): NodeDisruption {
  const node = api.find<NodeObject>(NODES, { name });
  const operation = api.find<NodeAgent>(NODE_AGENT, { name })?.spec.operation;
  return {
    at: api.clock.monotonic() / 1000,
    node: name,
    cordonedBy: node?.metadata.annotations?.[ANNOTATIONS.cordonedBy],
    down: !up,
    claimedBy: operation && `${operation.nodeOp.namespace}/${operation.nodeOp.name}`,
    step: operation?.step,
    disruptive:
      operation !== undefined && operation.result === undefined && STEP_NAMES.indexOf(operation.step) >= CORDON,
  };
}

/** Every change of any node, in order. `again` is to be called when a machine went down or came up. */
export function logDisruptions(api: FakeApiServer, machines: ReadonlyMap<string, Machine>) {
  const log: NodeDisruption[] = [];
  const last = new Map<string, string>();
  const record = (name: string) => {
    const machine = machines.get(name);
    if (!machine) return;
    const now = disruptionOf(api, machine);
    const words = JSON.stringify({ ...now, at: 0 });
    if (words === last.get(name)) return;
    last.set(name, words);
    log.push(now);
  };
  api.onChange((plural, { object }) => {
    if (plural === NODES.plural || plural === NODE_AGENT.plural) record(object.metadata.name);
  });
  return { log, record };
}
