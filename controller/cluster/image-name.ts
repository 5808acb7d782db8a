/** Compares the image name in a manifest with the names that a kubelet lists. */

/** Explicit spellings of Docker Hub, which is the default registry. */
const HUB = /^(index\.)?docker\.io\//;

/** Where the tag of a name without a digest begins, with its colon; the length of the name if it has none. A colon before a slash begins a port. */
function startOfTag(name: string): number {
  const colon = name.lastIndexOf(':');
  return colon > name.lastIndexOf('/') ? colon : name.length;
}

/** `name`: without a digest. */
export const withoutTag = (name: string): string => name.slice(0, startOfTag(name));

/** `name`: without a digest. Undefined if it has no tag, or an empty one. */
const tagOf = (name: string): string | undefined => name.slice(startOfTag(name) + 1) || undefined;

/** `busybox` → `docker.io/library/busybox:latest`, as container runtimes spell it (distribution reference grammar). */
export function fullImageName(name: string): string {
  const [path, digest] = name.replace(HUB, '').split('@');
  const slash = (path ?? '').indexOf('/');
  const first = (path ?? '').slice(0, Math.max(slash, 0));
  const hasRegistry = slash > 0 && (/[.:]/.test(first) || first === 'localhost');
  const withRegistry = hasRegistry ? path : `docker.io/${slash > 0 ? '' : 'library/'}${path}`;
  if (digest !== undefined) return `${withoutTag(withRegistry ?? '')}@${digest}`;
  return tagOf(withRegistry ?? '') !== undefined ? `${withRegistry}` : `${withRegistry}:latest`;
}

/**
 * True only for a digest or a tag other than `latest` that is on the node: the kubelet asks the registry again for everything else.
 */
export function isOnNode(image: string, listed: readonly string[]): boolean {
  const full = fullImageName(image);
  if (full.endsWith(':latest')) return false;
  return listed.some(name => fullImageName(name) === full);
}
