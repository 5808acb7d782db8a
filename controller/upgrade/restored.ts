/** What becomes of an upgrade that was restored from a backup. Pure. */
import type { NodeOpUpgrade } from '../../api/objects.js';
import { isFinal } from '../cluster/phases.js';
import { retryOf } from '../cluster/retry-annotation.js';
import { isMarked, isRestored, needsMark, restoredMessage } from '../cluster/started-mark.js';
import { fail } from './decide.js';
import type { Plan } from './facts.js';

/**
 * Nothing is read, and no NodeOp is created, until a retry is requested. A finished upgrade stays finished, but no longer refers to its NodeOp:
 * that one belongs to the former object, and a retry starts from the beginning. Undefined if the upgrade was not restored.
 */
export function restoredPlan(upgrade: NodeOpUpgrade, now: Date): Plan | undefined {
  const { metadata, status } = upgrade;
  if (metadata.deletionTimestamp !== undefined || !isRestored(upgrade)) return undefined;
  const retry = retryOf(metadata) ?? status?.retry;
  if (isFinal(status))
    return { events: [], actions: [], status: { ...status, uid: metadata.uid, retry, nodeOpName: undefined } };
  const plan = fail({ upgrade: { ...upgrade, status: undefined }, now }, 'Restored', restoredMessage(upgrade));
  return { ...plan, status: { ...plan.status, retry } };
}

/** A retry is the request to run this object, whatever it was restored from. */
export const shouldMark = (upgrade: NodeOpUpgrade): boolean =>
  needsMark(upgrade) || (!isMarked(upgrade) && isRetryRequested(upgrade));

const isRetryRequested = ({ metadata, status }: NodeOpUpgrade): boolean =>
  isFinal(status) && metadata.deletionTimestamp === undefined && (retryOf(metadata) ?? status?.retry) !== status?.retry;
