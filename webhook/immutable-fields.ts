/** The spec of a started operation is immutable, except for fields that control its pace: nodes have already acted on the rest. */
import type * as z from 'zod';
import { isChangeable } from '../api/spec-fields.js';
import { type Fault, forbidden } from './faults.js';
import { type Fields, fieldsOf, sameJson } from './unknown-json.js';

const STARTED: readonly unknown[] = ['Running', 'Completed', 'Failed'];

/** Whether the operation has started on a node, or has finished. */
export function hasStarted(object: Fields): boolean {
  const { phase, startedAt } = fieldsOf(object.status);
  return startedAt !== undefined || STARTED.includes(phase);
}

const IMMUTABLE =
  'field is immutable once the operation has started, because each object is one run; create a new object instead (metadata.generateName gives each run its own name)';

/** One fault for each changed immutable field. Both specs have all defaults, so that omitting a default is no change. */
export function immutableFieldFaults(spec: z.ZodType, before: Fields, after: Fields): Fault[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter(field => !isChangeable(spec, field) && !sameJson(before[field], after[field]))
    .toSorted()
    .map(field => forbidden(['spec', field], IMMUTABLE));
}
