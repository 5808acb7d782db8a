/** Creates and applies JSON merge patches (RFC 7386). */

import { ownValue } from '../program/own-value.js';

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether two values are the same JSON, regardless of field order; a field that is undefined counts as absent. */
export function isSameJson(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => isSameJson(item, b[index]));
  if (!isFields(a) || !isFields(b)) return a === b;
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every(name =>
    isSameJson(ownValue(a, name), ownValue(b, name)),
  );
}

/** The smallest merge patch that turns `from` into `to`, or undefined when they are equal. */
export function mergeDiff(from: object, to: object): Fields | undefined {
  const before: Fields = { ...from };
  const after: Fields = { ...to };
  const patch: Fields = {};
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [was, is] = [ownValue(before, name), ownValue(after, name)];
    if (isSameJson(was, is)) continue;
    if (is === undefined || is === null) patch[name] = null;
    else patch[name] = isFields(was) && isFields(is) ? mergeDiff(was, is) : is;
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

/** The result of applying a merge patch, as the API server computes it. */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return patch;
  const result: Fields = isFields(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else if (value !== undefined) result[name] = applyMergePatch(ownValue(result, name), value);
  }
  return result;
}
