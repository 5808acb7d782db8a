/** ALLOWED_NAMESPACES: the right to create objects in some namespace must not amount to root on the nodes. */

/** Why an operation in this namespace must not start; undefined where it may. No allowed names at all means every namespace. */
export function namespaceRefusal(namespace: string | undefined, allowed: readonly string[] = []): string | undefined {
  if (allowed.length === 0 || allowed.includes(namespace ?? '')) return undefined;
  return `not started: namespace ${namespace} is not among the allowed namespaces ${allowed.join(', ')} (ALLOWED_NAMESPACES)`;
}
