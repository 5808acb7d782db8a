import type { Facts, LedgerChange, StepResult } from '../facts/facts.js';

/** One row of the table of steps. */
export interface Step {
  isNeeded(facts: Facts): boolean;
  evaluate(facts: Facts): StepResult;
  /** What the ledger must hold, beside the step's name and time, before the first act of the step. */
  onEnter?(facts: Facts): LedgerChange;
}
