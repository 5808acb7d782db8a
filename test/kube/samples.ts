import type { Resource, Stored } from '../../kube/kube.js';

/** A made-up resource for tests of the kube room, which knows none of our own kinds. */
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

/** Resolves when it holds, looking often; the test's own time limit is the end of patience. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const limit = Date.now() + 20_000; // a test that has failed must not go on asking for ever
  while (!(await holds())) {
    if (Date.now() > limit) throw new Error('what was waited for did not come within 20 s');
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}
