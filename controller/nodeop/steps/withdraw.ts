/** Withdraws the reboot of a walk that has failed and waits until the agent confirms that. */
import { act, DONE, type StepResult, wait } from '../facts/facts.js';
import type { Step } from './step.js';

/** The machine must not reboot under whoever comes next. */
export const withdraw: Step = {
  isNeeded: ({ ledger, node }) =>
    ledger?.result?.phase === 'Failed' &&
    node !== undefined &&
    node.metadata.uid === ledger.nodeUid &&
    (ledger.reboot !== undefined || ledger.rebootWithdrawn === true),
  evaluate({ ledger, agent, nodeOp }): StepResult {
    const answer = agent?.status?.operation?.id === ledger?.id ? agent?.status?.operation?.reboot?.state : undefined;
    if (answer === 'Cancelled' || answer === 'Rebooted') return DONE;
    if (ledger?.reboot !== undefined) return act({ do: 'record', change: { reboot: null, rebootWithdrawn: true } });
    if (nodeOp.isAbandoned) return DONE;
    return wait('Unreachable', 'the reboot was withdrawn; waiting for the agent to say so');
  },
};
