/** The operator itself replaced by another release of it, in the middle of an upgrade of three nodes. */
import { expect } from '@jest/globals';
import { install } from '../install.js';
import { type ProductImage, type ProductImages, productImages } from '../product-images.js';
import { ended, entries, type Operator, upgradeOf } from './operator.js';
import { expectUntouched, powerCount } from './world.js';

export interface Releases {
  old: ProductImages;
  next: ProductImages;
}

/** The same programs under two names, on every node. */
export async function releases(it: Operator): Promise<Releases> {
  const old = await productImages();
  return { old, next: { operator: await tagged(it, old.operator), agent: await tagged(it, old.agent) } };
}

async function tagged(it: Operator, { ref, tar }: ProductImage): Promise<ProductImage> {
  const name = ref.replace(/:[^:]*$/, ':another-release');
  for (const machine of it.machines) {
    const { code, stderr } = await machine.exec('ctr', '-n', 'k8s.io', 'images', 'tag', '--force', ref, name);
    expect([code, stderr]).toEqual([0, '']);
  }
  return { ref: name, tar };
}

/** Images of the operator's Pods as they run now. */
async function running({ kubectl }: Operator): Promise<string[]> {
  const pods = (await kubectl.getJson('pods', '-n', 'operator-system'))?.items ?? [];
  const specs = pods.filter(pod => pod.metadata?.['deletionTimestamp'] === undefined).map(pod => pod.spec);
  const containers = specs.flatMap(spec => (spec?.['containers'] ?? []) as { image: string }[]);
  return [...new Set(containers.map(({ image }) => image))].toSorted();
}

/** The ledger knows at once; a report may be late, the more so if its writer is on the node that reboots. */
const isAt = ({ kubectl }: Operator, node: string, step: string) =>
  kubectl.waitForObject(
    ['nodeagent', node],
    agent => (agent.spec?.['operation'] as { step?: string } | undefined)?.step === step,
    120,
  );

/** An upgrade named `name` is begun, and when the node is at `step`, everything is replaced. */
export async function replacedAt(
  it: Operator,
  { name, node, step, to }: { name: string; node: string; step: string; to: ProductImages },
): Promise<void> {
  const counts = it.machines.map(powerCount);
  await it.kubectl.apply(upgradeOf(name, it.next.ref, { force: true }));
  await isAt(it, node, step);
  await install(it.cluster, to);
  const upgrade = await ended(it, 'nodeopupgrade', name);
  expect(Object.values(entries(upgrade)).map(({ phase, rebootStatus }) => [phase, rebootStatus])).toEqual(
    Array.from({ length: 3 }, () => ['Completed', 'completed']),
  );
  expect(counts.map(count => count())).toEqual(Array.from({ length: 3 }, () => ({ boots: 1, told: 1 })));
  expect(await running(it)).toEqual([to.operator.ref, to.agent.ref].toSorted());
  await expectUntouched(it, 'n1', 'n2', 'n3');
}
