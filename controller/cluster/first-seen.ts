/**
 * When the controller first saw a state that has a deadline. The times in the status of Pods, Jobs and Nodes are of the clocks of kubelets and
 * of the kube-controller-manager, which may be hours off, and are never compared with the time of the controller. What it has seen is recorded
 * where the next leader finds it.
 */
import type { FirstSeen } from '../../api/meta.js';

/** The record of this state: the known one, or one that begins now. */
export const firstSeen = (state: string, known: readonly (FirstSeen | undefined)[], now: Date): FirstSeen =>
  known.find(each => each?.for === state) ?? { for: state, since: now.toISOString() };
