import { describe, expect, test } from '@jest/globals';
import type { Facts } from '../../../../controller/nodeop/facts.js';
import { facts, ledger, nodeAgent, secondsAgo } from '../../../builders.js';
import { told, REBOOT } from './walked.js';

describe('Claim', () => {
  test.each<[string, object, Partial<Facts>, string]>([
    ['waits for its turn', {}, { ledger: undefined }, 'Claim: wait WaitingForTurn'],
    ['claims the node when its turn has come', {}, { ledger: undefined, turn: true }, 'Claim: claim'],
    [
      'waits while another operation holds the node',
      {},
      { ledger: undefined, turn: true, heldBy: 'default/other' },
      'Claim: wait WaitingForOperation',
    ],
    [
      'waits for the NodeAgent to be made',
      {},
      { ledger: undefined, turn: true, agent: undefined },
      'Claim: wait WaitingForAgent',
    ],
    ['needs no agent for a plain command', {}, { agent: nodeAgent({ operation: undefined }) }, 'Run: record Run'],
    [
      'needs the echo before a reboot is possible',
      REBOOT,
      { agent: nodeAgent({ operation: undefined }) },
      'Claim: wait WaitingForAgent',
    ],
    [
      'takes an echo of another attempt for none',
      REBOOT,
      { agent: nodeAgent({ operation: { id: 'uid-op-0' } }) },
      'Claim: wait WaitingForAgent',
    ],
    [
      'gives the agent 60 s',
      REBOOT,
      { agent: nodeAgent({ operation: undefined }), ledger: ledger({ stepTimes: { Claim: secondsAgo(60) } }) },
      'Claim: Failed AgentNotAnswering',
    ],
  ])('%s', (_sentence, spec, seen, expected) => expect(told(facts(spec, seen))).toBe(expected));
});
