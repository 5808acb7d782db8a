import type { Facts, LedgerChange, StepResult } from '../facts/facts.js';

/** One row of the table of steps. */
export interface Step {
  /** Whether the step applies to this node; other steps are passed over and not recorded. */
  isNeeded(facts: Facts): boolean;
  evaluate(facts: Facts): StepResult;
  /** What is recorded in the ledger with the step's name and time, before its first action. */
  onEnter?(facts: Facts): LedgerChange;
}
