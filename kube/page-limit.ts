/**
 * How many objects to request in one page of a list. The API server limits a page by number only, and builds it as a whole, so that the number
 * follows from the size that the objects turn out to have.
 */
export interface PageLimit {
  /** For the next request. */
  current(): number;
  /** A page was read. Without a size, as from a fake, the pages are as long as allowed. */
  read(page: { count: number; bytes?: number }): void;
  /** The list failed. `isExpired`: it took longer than the API server keeps its version. */
  failed(isExpired: boolean): void;
}

const TARGET_BYTES = 4 * 1024 * 1024;
const LARGEST_TARGET_BYTES = 16 * TARGET_BYTES;
const LONGEST = 500;
/** The size of the objects is unknown: so many of the largest that the API server stores arrive within the time limit of a call. */
const FIRST = 20;
/** The objects of the next page may be larger. */
const LARGEST_GROWTH = 5;

export function pageLimit(longest: number = LONGEST): PageLimit {
  let target = TARGET_BYTES;
  let limit = Math.min(FIRST, longest);
  return {
    current: () => limit,
    read: ({ count, bytes }) => {
      if (count === 0) return;
      const fitting = bytes === undefined ? longest : Math.floor((target * count) / bytes);
      limit = Math.max(1, Math.min(fitting, limit * LARGEST_GROWTH, longest));
    },
    failed: isExpired => {
      if (isExpired) target = Math.min(target * 2, LARGEST_TARGET_BYTES);
      else limit = Math.max(1, Math.floor(limit / 2));
    },
  };
}
