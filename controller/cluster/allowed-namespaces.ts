/** Where wishes are obeyed: who may make one in some namespace is not yet root on nodes. */

/** Why a wish there is not begun; undefined: it may be. No names at all: every namespace. What is under way is not asked again. */
export function namespaceRefusal(namespace: string | undefined, allowed: readonly string[] = []): string | undefined {
  if (allowed.length === 0 || allowed.includes(namespace ?? '')) return undefined;
  return `nothing is begun in namespace ${namespace}: the operator obeys wishes in ${allowed.join(', ')} only (ALLOWED_NAMESPACES)`;
}
