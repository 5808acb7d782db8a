import { describe, expect, test } from '@jest/globals';
import type { NodeAgent } from '../../../api/objects.js';
import { agentAnswer } from '../../../controller/cluster/agent-answer.js';
import { ledger, nodeAgent } from '../../builders.js';

const answer = { id: 'uid-op-1', check: { verdict: 'Proceed' as const } };

describe('The answer of the agent to a ledger', () => {
  test.each<[string, NodeAgent | undefined, { id: string } | undefined, unknown]>([
    ['is found by the id of the operation', nodeAgent({ operation: answer }), ledger(), answer],
    [
      'is absent where the agent has answered an earlier attempt',
      nodeAgent({ operation: answer }),
      { id: 'uid-op-2' },
      undefined,
    ],
    ['is absent where the agent has answered nothing yet', nodeAgent({ operation: undefined }), ledger(), undefined],
    ['is absent where there is no ledger', nodeAgent({ operation: answer }), undefined, undefined],
    [
      'is absent where there is neither an answer nor a ledger',
      nodeAgent({ operation: undefined }),
      undefined,
      undefined,
    ],
    ['is absent where the node has no NodeAgent', undefined, ledger(), undefined],
  ])('%s', (_sentence, agent, of, expected) => expect(agentAnswer(agent, of)).toEqual(expected));
});
