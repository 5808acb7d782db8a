/**
 * Limits of what the caches keep of one object. Every user who may create Pods decides how large they are; without limits, the sum of them
 * would be larger than the heap of the controller.
 */

const MAX_LABEL_BYTES = 4096;
export const MAX_ANNOTATION_LENGTH = 1024;

/** A cut text is copied: as a slice it would keep the whole one in memory. */
export const boundedText = (text: string | undefined, maxLength: number): string | undefined =>
  text === undefined || text.length <= maxLength ? text : Buffer.from(text.slice(0, maxLength)).toString();

/** The first entries that fit, after those that must be kept. */
export function boundedLabels(
  labels: Record<string, string> | undefined,
  isKept: (key: string) => boolean,
): Record<string, string> | undefined {
  const entries = Object.entries(labels ?? {});
  if (sizeOf(entries) <= MAX_LABEL_BYTES) return labels;
  const ordered = [...entries.filter(([key]) => isKept(key)), ...entries.filter(([key]) => !isKept(key))];
  let bytes = 0;
  return Object.fromEntries(ordered.filter(([key, value]) => (bytes += key.length + value.length) <= MAX_LABEL_BYTES));
}

const sizeOf = (entries: readonly (readonly [string, string])[]): number =>
  entries.reduce((bytes, [key, value]) => bytes + key.length + value.length, 0);

/** Whether an optional part of a spec, such as a selector, is larger than any that a person writes. */
export const isOversized = (part: unknown): boolean =>
  part !== undefined && JSON.stringify(part).length > MAX_SELECTOR_LENGTH;

const MAX_SELECTOR_LENGTH = 4096;
