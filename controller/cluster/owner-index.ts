/** The index `owner` of the caches: objects by their owners. */
import type { Cache } from '../../kube/cache.js';
import type { Stored } from '../../kube/kube.js';

interface Owner {
  metadata: { namespace?: string; uid: string };
}

/**
 * With the namespace, because an owner is in the namespace of the owned object. The API server stores any uid in an owner reference, and an
 * object of another namespace that names one must not count as owned.
 */
export const ownerIndexKey = ({ namespace = '', uid }: Owner['metadata']): string => `${namespace}/uid/${uid}`;

/** The function of the index. */
export const ownerIndexKeys = ({ metadata: { namespace, ownerReferences } }: Stored): string[] =>
  ownerReferences?.map(({ uid }) => ownerIndexKey({ namespace, uid })) ?? [];

/** The objects in the namespace of the owner that name its uid. */
export const ownedBy = <T extends Stored>(cache: Pick<Cache<T>, 'byIndex'>, { metadata }: Owner): T[] =>
  cache.byIndex('owner', ownerIndexKey(metadata));
