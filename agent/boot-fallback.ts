/** After a reboot for an upgrade: did the machine come up with what it was upgraded to? */
import type { NodeAgentStatus, Operation } from '../api/node-agent.js';
import { versionTriple } from '../api/version-triple.js';
import type { Facts } from './observe.js';

type FellBack = NodeAgentStatus['fellBack'];

/** What is to be remembered now: a new fall, the one remembered so far, or nothing once its target runs after all. */
export function bootFallback(
  facts: Facts,
  known: FellBack,
  operation: Operation | undefined,
  answer: NodeAgentStatus['operation'],
): FellBack {
  const current = versionTriple(facts.release);
  const { version: target, digest } = operation?.check?.release ?? {};
  if (target !== undefined && answer?.reboot?.state === 'Rebooted' && cameUpWrong(facts, current, target))
    return known?.version === target && known.digest === digest
      ? known
      : { version: target, ...(digest ? { digest } : {}), at: answer.reboot.bootedAt ?? facts.boot.since };
  const runsAfterAll = known?.version !== undefined && known.version === current && facts.boot.state === 'active';
  return runsAfterAll ? undefined : known;
}

function cameUpWrong(facts: Facts, current: string | undefined, target: string): boolean {
  if (facts.boot.state === 'passive' || facts.boot.state === 'recovery') return true;
  return current !== undefined && current !== target;
}
