/** Passes a spec through the webhook: defaulting, then validation of what would be stored. */
import { mutate, validate } from '../../webhook/admit.js';
import { denialOf, patchIn, request } from '../webhook/reviews.js';
import type { Case } from './property-case.js';

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;

function add(object: Fields, path: string, value: unknown): void {
  const keys = path
    .split('/')
    .slice(1)
    .map(key => key.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = keys.pop() ?? '';
  const place = keys.reduce<Fields>((at, key) => (isFields(at[key]) ? at[key] : {}), object);
  place[last] = value;
}

/** The spec as it would be stored; undefined when it is denied. */
export function admitted({ kind, spec }: Case['object']): object | undefined {
  const asked = mutate(request({ kind, spec }));
  if (denialOf(asked)) return undefined;
  const object = { spec: structuredClone(spec) };
  for (const { path, value } of patchIn(asked)) add(object, path, value);
  return denialOf(validate(request({ kind, spec: object.spec }))) ? undefined : object.spec;
}
