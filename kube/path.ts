import type { Name, Resource } from './kube.js';

/** `/api/v1/…` for the core group, `/apis/group/version/…` for all others. Without a namespace: all of them. */
export function collectionPath({ group, version, plural }: Resource, namespace?: string): string {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${scope}/${plural}`;
}

export function objectPath(resource: Resource, { namespace, name }: Name, subresource?: string): string {
  if (resource.namespaced && namespace === undefined)
    throw new Error(`${resource.kind} ${name}: a namespace is needed to name it`);
  const scope = resource.namespaced ? namespace : undefined;
  const path = `${collectionPath(resource, scope)}/${encodeURIComponent(name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

/** `?a=1&b=2` of what is there, or nothing. */
export function query(fields: Record<string, string | number | boolean | undefined>): string {
  const pairs = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}
