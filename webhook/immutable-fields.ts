/** A started operation is history: what nodes were told may not change under it. */
import { isDeepStrictEqual } from 'node:util';
import type * as z from 'zod';
import { isChangeable } from '../api/spec-fields.js';
import { type Fault, forbidden } from './faults.js';
import { type Fields, fieldsOf } from './unknown-json.js';

const STARTED: readonly unknown[] = ['Running', 'Completed', 'Failed'];

/** Some node has been worked on, or all work is over. */
export function hasStarted(object: Fields): boolean {
  const { phase, startedAt } = fieldsOf(object.status);
  return startedAt !== undefined || STARTED.includes(phase);
}

const ADVICE =
  'may not change once the operation has started: one object is one run. Create a new object instead (metadata.generateName gives each run its own name)';

/** One fault for each changed field of the spec. Both specs come defaulted, so that leaving a default out is no change. */
export function immutableFieldFaults(spec: z.ZodType, before: Fields, after: Fields): Fault[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter(field => !isChangeable(spec, field) && !isDeepStrictEqual(before[field], after[field]))
    .toSorted()
    .map(field => forbidden(['spec', field], ADVICE));
}
