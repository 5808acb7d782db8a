/** How long ago the agent first saw a reboot request, whatever happens to the clock of the node. */
import type { NodeAgent } from '../api/objects.js';
import type { Facts } from './observe.js';

/** Measures by the monotonic clock of this process; what passed before its start follows from the uptime in the status. */
export class RebootTimer {
  #seen: { operationId: string; at: number } | undefined;

  /** Milliseconds since the request of this operation was first seen; `now` is monotonic. The first call starts the count. */
  msSinceSeen(agent: NodeAgent, facts: Facts, now: number): number {
    const operation = agent.spec.operation;
    if (operation?.reboot === undefined) return 0;
    if (this.#seen?.operationId !== operation.id)
      this.#seen = { operationId: operation.id, at: now - msBeforeStart(agent, facts) };
    return now - this.#seen.at;
  }
}

/** An uptime of another boot says nothing: the request then counts from the start of this process. */
function msBeforeStart({ spec, status }: NodeAgent, { boot, uptimeSeconds }: Facts): number {
  const answer = status?.operation?.id === spec.operation?.id ? status?.operation : undefined;
  const seen = status?.boot?.id === boot.id ? answer?.rebootSeenUptimeSeconds : undefined;
  return seen === undefined || uptimeSeconds === undefined ? 0 : Math.max(0, uptimeSeconds - seen) * 1000;
}
