/** A log of how each node was disrupted over time, for tests that check how many nodes were disrupted at once. */
import { NODE_AGENT } from '../../../api/kinds.js';
import { ANNOTATIONS } from '../../../api/names.js';
import { STEP_NAMES } from '../../../api/node-status.js';
import type { NodeAgent } from '../../../api/objects.js';
import { NODES } from '../../../kube/resources.js';
import type { FakeApiServer } from './api-server.js';
import type { NodeObject } from './object-types.js';
import type { Machine } from './machine.js';

/** The state of a node from a point in time on. */
export interface NodeDisruption {
  /** Seconds since the cluster was created. */
  at: number;
  node: string;
  /** The cordon mark of the node. */
  cordonedBy?: string;
  /** The machine is off, for whatever reason. */
  down: boolean;
  /** The NodeOp that claimed the node, and its current step. */
  claimedBy?: string;
  step?: string;
  /** The operation has reached its Cordon step, and its walk has not ended. */
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

/** Records every change of any node, in order. `record` must be called after a machine went down or came up. */
export function logDisruptions(api: FakeApiServer, machines: ReadonlyMap<string, Machine>) {
  const log: NodeDisruption[] = [];
  const last = new Map<string, string>();
  const record = (name: string) => {
    const machine = machines.get(name);
    if (!machine) return;
    const now = disruptionOf(api, machine);
    const state = JSON.stringify({ ...now, at: 0 });
    if (state === last.get(name)) return;
    last.set(name, state);
    log.push(now);
  };
  api.onChange((plural, { object }) => {
    if (plural === NODES.plural || plural === NODE_AGENT.plural) record(object.metadata.name);
  });
  return { log, record };
}
