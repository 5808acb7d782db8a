/** The id of one attempt of an operation, `<uid of the NodeOp>-<attempt>`: written to the ledger and echoed by the agent. */

export const operationIdOf = (uid: string, attempt: number): string => `${uid}-${attempt}`;

export const attemptIn = (id: string | undefined): number => Number(/-(\d+)$/.exec(id ?? '')?.[1] ?? 1);
