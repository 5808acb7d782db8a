import type { Name, Resource } from './kube.js';

/** URL path of a collection: `/api/v1/…` for the core group, `/apis/group/version/…` for others; all namespaces when none is given. */
export function collectionPath({ group, version, plural }: Resource, namespace?: string): string {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${scope}/${plural}`;
}

/** URL path of an object or its subresource. Throws for a namespaced resource without a namespace. */
export function objectPath(resource: Resource, { namespace, name }: Name, subresource?: string): string {
  if (resource.namespaced && namespace === undefined)
    throw new Error(`${resource.kind} ${name}: a namespace is required`);
  const scope = resource.namespaced ? namespace : undefined;
  const path = `${collectionPath(resource, scope)}/${encodeURIComponent(name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

/** Query string `?a=1&b=2` of the fields that are set and not empty; an empty string when there are none. */
export function query(fields: Record<string, string | number | boolean | undefined>): string {
  const pairs = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}
