import type { Resource, Stored } from '../../kube/kube.js';

/** An invented resource for the tests of `kube/`, which does not know the operator's kinds. */
export const THINGS: Resource = {
  group: 'example.org',
  version: 'v1',
  plural: 'things',
  kind: 'Thing',
  namespaced: true,
};

export interface Thing extends Stored {
  spec?: { size?: number; colour?: string };
  status?: { phase?: string; count?: number };
}

export const thing = (name: string, more: Partial<Thing['metadata']> & { spec?: Thing['spec'] } = {}): Thing => {
  const { spec, ...meta } = more;
  return { metadata: { name, namespace: 'default', uid: `uid-of-${name}`, resourceVersion: '1', ...meta }, spec };
};

/** Polls until the condition holds; throws after 20 s. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const limit = Date.now() + 20_000; // a failed test must not poll indefinitely
  while (!(await condition())) {
    if (Date.now() > limit) throw new Error('the condition did not become true within 20 s');
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}
