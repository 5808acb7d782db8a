/** Performs one action. */
import { NODE_OP } from '../../api/kinds.js';
import { ANNOTATIONS } from '../../api/names.js';
import type { NodeOp } from '../../api/objects.js';
import type { Cache } from '../../kube/cache.js';
import { isAlreadyExists } from '../../kube/errors.js';
import { ignoreNotFound } from '../../kube/ignore-not-found.js';
import type { Kube } from '../../kube/kube.js';
import { mergeChange } from '../../kube/patch.js';
import { PODS } from '../../kube/resources.js';
import type { Log } from '../../program/log.js';
import type { CachedPod } from '../cluster/pod.js';
import type { Action, Facts } from './facts.js';
import { nodeOpFor } from './nodeop.js';
import { probePod, type ProbePlace } from './probe-pod.js';

export interface ActDeps {
  kube: Kube;
  nodeOps: Pick<Cache<NodeOp>, 'put'>;
  pods: Pick<Cache<CachedPod>, 'put'>;
  log: Log;
}

export async function act(facts: Facts, action: Action, deps: ActDeps): Promise<void> {
  switch (action.do) {
    case 'createProbe':
      return createProbe(facts, action.place, deps);
    case 'deleteProbe':
      return deleteProbe(action.pod, deps);
    case 'createNodeOp':
      return createNodeOp(facts, action, deps);
    case 'updateNodeOp':
      deps.nodeOps.put(await mergeChange(deps.kube, NODE_OP, action.nodeOp, { to: action.to }));
      deps.log.info('changed fields of the running NodeOp');
      return;
    case 'retryNodeOp':
      deps.nodeOps.put(await retryNodeOp(action, deps.kube));
      deps.log.info('requested a retry of the NodeOp');
      return;
    default:
      return unreachable(action);
  }
}

const retryNodeOp = ({ nodeOp, value }: Extract<Action, { do: 'retryNodeOp' }>, kube: Kube): Promise<NodeOp> => {
  const annotations = { ...nodeOp.metadata.annotations, [ANNOTATIONS.retry]: value };
  return mergeChange(kube, NODE_OP, nodeOp, { to: { ...nodeOp, metadata: { ...nodeOp.metadata, annotations } } });
};

async function createProbe({ upgrade, spec }: Facts, place: ProbePlace, { kube, pods, log }: ActDeps): Promise<void> {
  const { namespace } = upgrade.metadata;
  try {
    pods.put(await kube.create<CachedPod>(PODS, probePod(upgrade.metadata, spec, place), namespace));
    log.info({ node: place.node, arch: place.arch, image: spec.image }, 'reading the image');
  } catch (error) {
    /* It was created a moment ago, or an earlier one of this name is still terminating: the watch will report which. */
    if (!isAlreadyExists(error)) throw error;
  }
}

/** Without a grace period, even on a lost node: the Pod holds nothing that could be lost. */
async function deleteProbe({ metadata: { name, namespace, uid } }: CachedPod, { kube }: ActDeps): Promise<void> {
  await ignoreNotFound(kube.delete(PODS, { name, namespace }, { uid, gracePeriodSeconds: 0 }));
}

/** If a NodeOp of this name exists already, the next reconciliation continues with it if this upgrade owns it, and leaves it alone otherwise. */
async function createNodeOp(
  { upgrade, spec }: Facts,
  { target }: Extract<Action, { do: 'createNodeOp' }>,
  { kube, nodeOps, log }: ActDeps,
): Promise<void> {
  const { name, namespace } = upgrade.metadata;
  try {
    nodeOps.put(await kube.create<NodeOp>(NODE_OP, nodeOpFor(upgrade.metadata, spec, target), namespace));
    log.info({ version: target.version }, 'NodeOp created');
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    nodeOps.put(await kube.get<NodeOp>(NODE_OP, { name, namespace }));
  }
}

function unreachable(action: never): never {
  throw new Error(`unknown action ${JSON.stringify(action)}`);
}
