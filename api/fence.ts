/** Whether an agent is kept from writing to other Nodes, as its NodeAgent reports it. */
import * as z from 'zod';

export const Fence = z.object({
  state: z
    .enum(['Fenced', 'NotFenced', 'Unknown'])
    .describe('Whether the API server refuses writes of this agent to other Nodes.'),
  reason: z
    .enum(['Refused', 'MayWriteOtherNodes', 'NoOtherNode', 'CheckFailed'])
    .describe('Reason in one CamelCase word.'),
  message: z.string().describe('Human-readable message.'),
});
export type Fence = z.infer<typeof Fence>;
