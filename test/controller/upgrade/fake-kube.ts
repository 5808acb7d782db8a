/** An in-memory cluster: the object store of the fake API server behind the interface of the real client, with caches that see every write at once. */
import { ObjectCache } from '../../../kube/cache.js';
import { errorFromResponse } from '../../../kube/error-response.js';
import type { DeleteOptions, Kube, Name, PatchOptions, Resource, Stored } from '../../../kube/kube.js';
import { ObjectStore, type ResourcePath, type ApiResponse } from '../../fakes/object-store.js';

const placeOf = ({ group, version, plural }: Resource, at: Partial<Name> = {}, subresource?: string): ResourcePath => ({
  collection: `${group}/${version}/${plural}`,
  namespace: at.namespace,
  name: at.name,
  subresource,
});

/** The body, or the error that the real client would throw. */
const bodyOf = ({ code, body }: ApiResponse, what: string): unknown => {
  if (code >= 400) throw errorFromResponse({ code, text: JSON.stringify(body) }, what);
  return structuredClone(body);
};

/** The API server gives every new Pod a phase. */
const withStatus = (resource: Resource, body: object) =>
  resource.kind === 'Pod' ? { ...body, status: { phase: 'Pending' } } : { ...body };

const notUsed = () => Promise.reject(new Error('not part of this fake'));

export class FakeKube implements Kube {
  readonly store = new ObjectStore();
  /** Responses with which requests are refused, by verb and plural: `create nodeops`. */
  readonly refusals = new Map<string, ApiResponse>();
  readonly #creations: string[] = [];

  /** How many creations were requested, by verb and plural: `create pods`. */
  requested = (what: string): number => this.#creations.filter(each => each === what).length;

  /** A cache that sees every write at once. */
  cacheOf<T extends Stored>(
    resource: Resource,
    indexes?: Record<string, (object: T) => readonly string[]>,
  ): ObjectCache<T> {
    const cache = new ObjectCache<T>({ indexes });
    const { collection } = placeOf(resource);
    this.store.onEvent((where, { type, object }) => {
      const seen: object = structuredClone(object);
      if (where === collection) cache.applyEvent(type, seen as T);
    });
    return cache;
  }

  async get<T extends Stored>(resource: Resource, at: Name): Promise<T> {
    const refusal = this.refusals.get(`get ${resource.plural}`);
    if (refusal) return bodyOf(refusal, `get ${at.name}`) as T;
    const found = this.store.get(placeOf(resource, at));
    const missing = { code: 404, body: { reason: 'NotFound', message: `${at.name} not found` } };
    return bodyOf(found ? { code: 200, body: found } : missing, `get ${at.name}`) as T;
  }

  async create<T extends Stored>(resource: Resource, body: object, namespace?: string): Promise<T> {
    this.#creations.push(`create ${resource.plural}`);
    const refusal = this.refusals.get(`create ${resource.plural}`);
    return bodyOf(
      refusal ?? this.store.create(placeOf(resource, { namespace }), withStatus(resource, body)),
      `create ${resource.plural}`,
    ) as T;
  }

  async patch<T extends Stored>(resource: Resource, at: Name, body: unknown, options: PatchOptions = {}): Promise<T> {
    const verdict = this.store.patch(placeOf(resource, at, options.subresource), body, 'application/merge-patch+json');
    return bodyOf(verdict, `patch ${at.name}`) as T;
  }

  async delete(resource: Resource, at: Name, options: DeleteOptions = {}): Promise<void> {
    bodyOf(this.store.delete(placeOf(resource, at), options), `delete ${at.name}`);
  }

  list = notUsed;
  replace = notUsed;
  evict = notUsed;
  dryRun = notUsed;
  watch(): AsyncIterable<never> {
    throw new Error('not part of this fake');
  }
}
