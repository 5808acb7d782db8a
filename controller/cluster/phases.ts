/** Phases of operations and of their nodes. */

/** Nothing changes any more once an operation or a node has one of these phases. */
export const isFinal = (status: { phase?: string } | undefined): boolean =>
  status?.phase === 'Completed' || status?.phase === 'Failed';
