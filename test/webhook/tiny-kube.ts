/** A minimal fake cluster with resource versions; it supports only the verbs that the webhook uses. */
import { KubeError } from '../../kube/errors.js';
import type { Kube, Name, PatchOptions, Resource, Stored } from '../../kube/kube.js';

type Json = Record<string, unknown>;
type StoredJson = Stored & Json;

const unsupported = (): never => {
  throw new Error('the webhook does not use this verb');
};

export class TinyKube implements Kube {
  readonly objects = new Map<string, StoredJson>();
  readonly writes: string[] = [];
  /** Thrown by every call while set. */
  fault: Error | undefined;
  #version = 0;

  put(resource: Resource, at: Name, body: Json): void {
    this.#version += 1;
    const metadata = { ...(body.metadata as Json), ...at, uid: 'u', resourceVersion: String(this.#version) };
    this.objects.set(this.#key(resource, at), { ...structuredClone(body), metadata });
  }

  stored(resource: Resource, at: Name): Json | undefined {
    return this.objects.get(this.#key(resource, at));
  }

  async get<T extends Stored>(resource: Resource, at: Name): Promise<T> {
    await this.#pause();
    return structuredClone(this.#found(resource, at)) as T;
  }

  async create<T extends Stored>(resource: Resource, body: object, namespace?: string): Promise<T> {
    await this.#pause();
    const { name } = (body as Stored).metadata;
    if (this.objects.has(this.#key(resource, { name, namespace })))
      throw new KubeError(409, 'is there', 'AlreadyExists');
    this.writes.push(`create ${resource.kind}`);
    this.put(resource, { name, namespace }, body as Json);
    return structuredClone(this.#found(resource, { name, namespace })) as T;
  }

  async patch<T extends Stored>(resource: Resource, at: Name, body: unknown, options: PatchOptions = {}): Promise<T> {
    await this.#pause();
    const found = this.#found(resource, at);
    const next = options.type === 'json' ? jsonPatched(found, body as Operation[]) : { ...found, ...(body as Json) };
    if ((next.metadata as Stored['metadata']).resourceVersion !== found.metadata.resourceVersion)
      throw new KubeError(409, 'was modified', 'Conflict');
    this.writes.push(`patch ${resource.kind}`);
    this.put(resource, at, next);
    return structuredClone(this.#found(resource, at)) as T;
  }

  list = unsupported;
  watch = unsupported;
  replace = unsupported;
  delete = unsupported;
  evict = unsupported;
  dryRun = unsupported;

  #key = ({ plural }: Resource, { namespace = '', name }: Name) => `${plural}/${namespace}/${name}`;

  #found(resource: Resource, at: Name): StoredJson {
    const found = this.objects.get(this.#key(resource, at));
    if (!found) throw new KubeError(404, `${at.name} not found`, 'NotFound');
    return found;
  }

  async #pause(): Promise<void> {
    await new Promise(resolve => setImmediate(resolve));
    if (this.fault) throw this.fault;
  }
}

interface Operation {
  path: string;
  value: unknown;
}

function jsonPatched(found: StoredJson, operations: Operation[]): Json {
  const next: Json = structuredClone(found);
  for (const { path, value } of operations) {
    const keys = path.split('/').slice(1);
    const last = keys.pop() ?? '';
    let target = next;
    for (const key of keys) target = target[key] as Json;
    target[last] = value;
  }
  return next;
}
