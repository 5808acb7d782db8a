/** The operator itself is updated, all three programs of it, in the middle of an upgrade of three nodes; and then taken back in the middle of another. */
import { beforeAll, expect, jest, test } from '@jest/globals';
import { install } from '../install.js';
import { type ProductImage, type ProductImages, productImages } from '../product-images.js';
import { ended, entries, type Operator, operator, upgradeOf } from './operator.js';
import { expectUntouched, powerCount } from './world.js';

jest.setTimeout(300_000);

let it: Operator;
let old: ProductImages;
let next: ProductImages;
beforeAll(async () => {
  it = await operator(3);
  old = await productImages();
  next = { operator: await tagged(old.operator), agent: await tagged(old.agent) };
});

/** The same programs under the name of another release, on every node. */
async function tagged({ ref, tar }: ProductImage): Promise<ProductImage> {
  const name = ref.replace(/:[^:]*$/, ':another-release');
  for (const machine of it.machines) {
    const { code, stderr } = await machine.exec('ctr', '-n', 'k8s.io', 'images', 'tag', '--force', ref, name);
    expect([code, stderr]).toEqual([0, '']);
  }
  return { ref: name, tar };
}

/** Images of the operator's Pods as they run now. */
async function running(): Promise<string[]> {
  const pods = (await it.kubectl.getJson('pods', '-n', 'operator-system'))?.items ?? [];
  const specs = pods.filter(pod => pod.metadata?.['deletionTimestamp'] === undefined).map(pod => pod.spec);
  const containers = specs.flatMap(spec => (spec?.['containers'] ?? []) as { image: string }[]);
  const images = containers.map(({ image }) => image);
  return [...new Set(images)].toSorted();
}

/** The ledger knows at once; a report may be late, the more so if its writer is on the node that reboots. */
const isAt = (node: string, step: string) =>
  it.kubectl.waitForObject(
    ['nodeagent', node],
    agent => (agent.spec?.['operation'] as { step?: string } | undefined)?.step === step,
    120,
  );

/** Which node is at work when the update begins, and how far it is. */
const MOMENTS = [
  { name: 'forth', step: 'Run', to: () => next },
  { name: 'back', step: 'Reboot', to: () => old },
] as const;

test.each(MOMENTS)(
  'the operator goes $name while the first node is at $step: one reboot each',
  async ({ name, step, to }) => {
    const counts = it.machines.map(powerCount);
    await it.kubectl.apply(upgradeOf(name, it.next.ref, { force: true }));
    await isAt('n1', step);
    await install(it.cluster, to());
    const upgrade = await ended(it, 'nodeopupgrade', name);
    expect(Object.values(entries(upgrade)).map(({ phase, rebootStatus }) => [phase, rebootStatus])).toEqual(
      Array.from({ length: 3 }, () => ['Completed', 'completed']),
    );
    expect(counts.map(count => count())).toEqual(Array.from({ length: 3 }, () => ({ boots: 1, told: 1 })));
    expect(await running()).toEqual([to().operator.ref, to().agent.ref].toSorted());
    await expectUntouched(it, 'n1', 'n2', 'n3');
  },
);
