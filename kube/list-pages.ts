/** Lists all objects of a resource type page by page. */
import { isGone } from './errors.js';
import type { Kube, ListOptions, Page, Resource, Stored } from './kube.js';
import { pageLimit, type PageLimit } from './page-limit.js';

export interface ListAllOptions<T extends Stored>
  extends Pick<ListOptions<T>, 'namespace' | 'labelSelector' | 'fieldSelector' | 'reduce'> {
  /** Keeps what an earlier list has learned of the size of the objects. */
  limit?: PageLimit;
  signal?: AbortSignal;
}

/**
 * Fails as a whole if one page fails: the pages of a list are of one version, and there is no way to continue at another one. A version that
 * has expired is 410, and the next list has larger pages.
 */
export async function listAll<T extends Stored>(
  kube: Pick<Kube, 'list'>,
  resource: Resource,
  { limit = pageLimit(), signal, ...selection }: ListAllOptions<T> = {},
): Promise<Pick<Page<T>, 'items' | 'resourceVersion'>> {
  const items: T[] = [];
  let next: string | undefined;
  let resourceVersion = '';
  try {
    do {
      const page = await kube.list<T>(resource, { ...selection, limit: limit.current(), continue: next });
      signal?.throwIfAborted();
      for (const item of page.items) items.push(item);
      limit.read({ count: page.items.length, bytes: page.bytes });
      next = page.continue;
      resourceVersion = page.resourceVersion;
    } while (next);
  } catch (error) {
    limit.failed(isGone(error));
    throw error;
  }
  return { items, resourceVersion };
}
