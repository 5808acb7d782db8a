/** Withdraws the reboot request of a failed walk and waits until the agent confirms that it will not reboot the node. */
import { agentAnswer } from '../../cluster/agent-answer.js';
import { act, DONE, type StepResult, wait } from '../facts/facts.js';
import { confirmationDeadline, isOverdue } from '../facts/unconfirmed-withdrawal.js';
import type { Step } from './step.js';

/** Without the confirmation, the node might reboot during the next operation. */
export const withdraw: Step = {
  isNeeded: ({ ledger, node }) =>
    ledger?.result?.phase === 'Failed' &&
    node !== undefined &&
    node.metadata.uid === ledger.nodeUid &&
    (ledger.reboot !== undefined || ledger.rebootWithdrawn === true),
  evaluate({ ledger, agent, node, nodeOp, now }): StepResult {
    const state = agentAnswer(agent, ledger)?.reboot?.state;
    if (state === 'Cancelled' || state === 'Rebooted') return DONE;
    if (ledger?.reboot !== undefined) return act({ do: 'record', change: { reboot: null, rebootWithdrawn: true } });
    if (nodeOp.isAbandoned) return DONE;
    const until = ledger === undefined || isOverdue(ledger, node, now) ? undefined : confirmationDeadline(ledger, now);
    return wait('Unreachable', 'the reboot request was withdrawn; waiting for the agent to confirm', until);
  },
};
