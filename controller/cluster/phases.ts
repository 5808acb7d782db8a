/** An operation or a node in a final phase does not change any more, except by a retry. */
export const isFinal = (status: { phase?: string } | undefined): boolean =>
  status?.phase === 'Completed' || status?.phase === 'Failed';
