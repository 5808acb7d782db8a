/** Performs one action. */
import { NODE_OP } from '../../api/kinds.js';
import { ANNOTATIONS } from '../../api/names.js';
import type { NodeOp } from '../../api/objects.js';
import type { Cache } from '../../kube/cache.js';
import { isAlreadyExists } from '../../kube/errors.js';
import type { Kube } from '../../kube/kube.js';
import { ignoreNotFound } from '../../kube/ignore-not-found.js';
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

export async function act(facts: Facts, action: Action, hands: ActDeps): Promise<void> {
  switch (action.do) {
    case 'probe':
      return makeProbe(facts, action.place, hands);
    case 'deleteProbe':
      return deleteProbe(action.pod, hands);
    case 'createNodeOp':
      return createNodeOp(facts, action, hands);
    case 'updateNodeOp':
      hands.nodeOps.put(await mergeChange(hands.kube, NODE_OP, action.nodeOp, { to: action.to }));
      hands.log.info('fields of the running NodeOp changed');
      return;
    case 'retryNodeOp':
      hands.nodeOps.put(await retryNodeOp(action, hands.kube));
      hands.log.info('another attempt was asked for');
      return;
    default:
      return unreachable(action);
  }
}

const retryNodeOp = ({ nodeOp, value }: Extract<Action, { do: 'retryNodeOp' }>, kube: Kube): Promise<NodeOp> => {
  const annotations = { ...nodeOp.metadata.annotations, [ANNOTATIONS.retry]: value };
  return mergeChange(kube, NODE_OP, nodeOp, { to: { ...nodeOp, metadata: { ...nodeOp.metadata, annotations } } });
};

async function makeProbe({ upgrade, spec }: Facts, place: ProbePlace, { kube, pods, log }: ActDeps): Promise<void> {
  const { namespace } = upgrade.metadata;
  try {
    pods.put(await kube.create<CachedPod>(PODS, probePod(upgrade.metadata, spec, place), namespace));
    log.info({ node: place.node, arch: place.arch, image: spec.image }, 'reading the image');
  } catch (error) {
    /* Made by us a moment ago, or one of this name is still leaving: the watch will show which. */
    if (!isAlreadyExists(error)) throw error;
  }
}

/** At once, whatever became of its node: there is nothing in it to be saved. */
async function deleteProbe({ metadata: { name, namespace, uid } }: CachedPod, { kube }: ActDeps): Promise<void> {
  await ignoreNotFound(kube.delete(PODS, { name, namespace }, { uid, gracePeriodSeconds: 0 }));
}

/** Whoever holds the name already is looked at in the next pass: ours is gone on with, anybody else's is left alone. */
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
  throw new Error(`no such action: ${JSON.stringify(action)}`);
}
