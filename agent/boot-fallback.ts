/** After the reboot of an upgrade: detects that the node did not come up with the target of the upgrade. */
import type { NodeAgentStatus, Operation } from '../api/node-agent.js';
import { versionTriple } from '../api/version-triple.js';
import type { Facts } from './observe.js';

type FellBack = NodeAgentStatus['fellBack'];

/**
 * The value of `status.fellBack`: a new fallback, the one known so far, or undefined once the node runs that target from its active system,
 * or from one that cannot be told from it, such as a live system of a machine that boots from the network.
 * `answer` is the answer to `operation` in the status that is being built.
 */
export function bootFallback(
  facts: Facts,
  known: FellBack,
  operation: Operation | undefined,
  answer: NodeAgentStatus['operation'],
): FellBack {
  const current = versionTriple(facts.release);
  const { version: target, digest } = operation?.check?.release ?? {};
  if (target !== undefined && answer?.reboot?.state === 'Rebooted' && isFallback(facts, current, target))
    return known?.version === target && known.digest === digest
      ? known
      : { version: target, ...(digest ? { digest } : {}), at: answer.reboot.bootedAt ?? facts.boot.since };
  const nowRunsTarget = known?.version !== undefined && !isFallback(facts, current, known.version);
  return nowRunsTarget && current !== undefined ? undefined : known;
}

function isFallback(facts: Facts, current: string | undefined, target: string): boolean {
  if (facts.boot.state === 'passive' || facts.boot.state === 'recovery') return true;
  return current !== undefined && current !== target;
}
