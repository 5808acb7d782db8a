/** Shared by the tests of the steps. */
import type { CheckAnswer, RebootAnswer } from '../../../../api/node-agent.js';
import type { Facts } from '../../../../controller/nodeop/facts/facts.js';
import { walk } from '../../../../controller/nodeop/steps/walk.js';
import { node, nodeAgent, secondsAgo } from '../../../builders.js';

/** The step of a node and its result, such as `Drain: wait Draining`. */
export function outcomeOf(seen: Facts): string {
  const { step, result } = walk(seen);
  if (result.is === 'act') {
    const { action } = result;
    const recorded = action.do === 'record' && action.change.step !== undefined ? ` ${action.change.step}` : '';
    return `${step}: ${action.do}${recorded}`;
  }
  if (result.is === 'end') return `${step}: ${result.phase} ${result.reason}`;
  return result.is === 'wait' ? `${step}: wait ${result.reason}` : `${step}: done`;
}

export const MARK = 'default/op@uid-op';
export const CORDON = { cordon: true, prePull: false };
export const DRAIN = { ...CORDON, drainOptions: { enabled: true } };
export const REBOOT = { rebootOnSuccess: true };
export const UPGRADE = {
  ...DRAIN,
  ...REBOOT,
  preflight: { release: { version: 'v2' } },
  verify: { version: 'v2', bootState: 'active' },
};

export const answering = (check?: CheckAnswer, reboot?: RebootAnswer) =>
  nodeAgent({ operation: { id: 'uid-op-1', ...(check ? { check } : {}), ...(reboot ? { reboot } : {}) } });

export const rebooted = (status: object = {}) => ({
  node: node('n1', { bootId: 'boot-2', cordoned: true, mark: MARK }),
  agent: nodeAgent({
    boot: { id: 'boot-2', since: secondsAgo(30), state: 'active' },
    release: { version: 'v2' },
    operation: { id: 'uid-op-1', reboot: { state: 'Rebooted' } },
    ...status,
  }),
});
