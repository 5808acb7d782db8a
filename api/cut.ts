/** Limits the length of texts that a user can make long, where they become part of a message, a log line or a status. */

/** Longest message in characters: enough to understand a fault, and few enough that many of them fit into an answer or a status. */
export const MAX_MESSAGE_LENGTH = 1024;
/** Longest name or value in a message: the longest legal label key has 317 characters. */
export const MAX_QUOTED_LENGTH = 320;

const isLeadingSurrogate = (text: string, at: number): boolean => /^[\uD800-\uDBFF]/.test(text.charAt(at));

/** The text with at most `limit` characters; what was cut off is replaced by an ellipsis. Takes no time for the part that is cut off. */
export function cut(text: string, limit = MAX_MESSAGE_LENGTH): string {
  if (text.length <= limit) return text;
  const end = isLeadingSurrogate(text, limit - 2) ? limit - 2 : limit - 1;
  return `${text.slice(0, end)}…`;
}

/** A name of a user as part of a longer message. */
export const cutName = (name: string): string => cut(name, MAX_QUOTED_LENGTH);
