/** Compares the image name in a manifest with the names that a kubelet lists. */

/** Explicit spellings of Docker Hub, which is the default registry. */
const HUB = /^(index\.)?docker\.io\//;

/** `busybox` → `docker.io/library/busybox:latest`, as container runtimes spell it (distribution reference grammar). */
export function fullImageName(name: string): string {
  const [path, digest] = name.replace(HUB, '').split('@');
  const slash = (path ?? '').indexOf('/');
  const first = (path ?? '').slice(0, Math.max(slash, 0));
  const hasRegistry = slash > 0 && (/[.:]/.test(first) || first === 'localhost');
  const withRegistry = hasRegistry ? path : `docker.io/${slash > 0 ? '' : 'library/'}${path}`;
  if (digest !== undefined) return `${withRegistry?.replace(/:[^/]*$/, '')}@${digest}`;
  return /:[^/]+$/.test(withRegistry ?? '') ? `${withRegistry}` : `${withRegistry}:latest`;
}

/**
 * True only for a digest or a tag other than `latest` that is on the node: the kubelet asks the registry again for everything else.
 */
export function isOnNode(image: string, listed: readonly string[]): boolean {
  const full = fullImageName(image);
  if (full.endsWith(':latest')) return false;
  return listed.some(name => fullImageName(name) === full);
}
