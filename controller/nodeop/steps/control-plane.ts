/** Of all control planes of the cluster, one at a time is disturbed, and none while another is not Ready: etcd needs its majority. */
import { isControlPlane } from '../../control-plane.js';
import { act, after, begun, DONE, type Facts, fail, type Look, wait } from '../facts.js';
import type { Step } from './step.js';

export const controlPlane: Step = {
  wanted: ({ wish, node }) => wish.disruptive && node !== undefined && isControlPlane(node),
  look(facts): Look {
    const { ledger, now, wish } = facts;
    if (ledger?.controlPlane === true) return DONE;
    const held = controlPlaneHeldBack(facts);
    if (held && held.reason !== 'ControlPlaneNotReady') return wait(held.reason, held.message);
    if (held) {
      const seconds = wish.spec.startDeadlineSeconds;
      const until = after(begun(facts, 'ControlPlane'), seconds);
      return now >= until
        ? fail(held.reason, `another control plane was not Ready within ${seconds} s`)
        : wait(held.reason, held.message, until);
    }
    return act({ do: 'takeControlPlane', change: { controlPlane: true } }, { message: 'taking its turn' });
  },
};

type Held = { reason: 'WaitingForTurn' | 'WaitingForOperation' | 'ControlPlaneNotReady'; message: string };

/** Why no control plane may be disturbed beside the others as they are. */
export function controlPlaneHeldBack({ otherControlPlanes: { worked, notReady }, wish }: Facts): Held | undefined {
  if (worked?.operation === `${wish.namespace}/${wish.meta.name}`)
    return { reason: 'WaitingForTurn', message: 'control planes go one at a time' };
  if (worked)
    return {
      reason: 'WaitingForOperation',
      message: `waiting for operation ${worked.operation}, which works on control plane ${worked.node}`,
    };
  if (notReady === undefined) return undefined;
  return { reason: 'ControlPlaneNotReady', message: `waiting for control plane ${notReady} to be Ready` };
}
