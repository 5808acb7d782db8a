/** Replaces the operator by another release during an upgrade of three nodes. */
import { expect } from '@jest/globals';
import { install } from '../install.js';
import { type ProductImage, type ProductImages, productImages } from '../product-images.js';
import { waitUntilFinished, nodeStatuses, type Operator, upgradeOf } from './operator.js';
import { expectClean, countPowerEvents } from './node-state.js';

export interface Releases {
  old: ProductImages;
  next: ProductImages;
}

/** The same programs under two image names, on every node. */
export async function tagReleases(operator: Operator): Promise<Releases> {
  const old = await productImages();
  return {
    old,
    next: { operator: await tagAsNext(operator, old.operator), agent: await tagAsNext(operator, old.agent) },
  };
}

async function tagAsNext(operator: Operator, { ref, tar }: ProductImage): Promise<ProductImage> {
  const name = ref.replace(/:[^:]*$/, ':another-release');
  for (const machine of operator.machines) {
    const { code, stderr } = await machine.exec('ctr', '-n', 'k8s.io', 'images', 'tag', '--force', ref, name);
    expect([code, stderr]).toEqual([0, '']);
  }
  return { ref: name, tar };
}

/** Images of the operator's running Pods. */
async function runningImages({ kubectl }: Operator): Promise<string[]> {
  const pods = (await kubectl.getJson('pods', '-n', 'operator-system'))?.items ?? [];
  const specs = pods.filter(pod => pod.metadata?.['deletionTimestamp'] === undefined).map(pod => pod.spec);
  const containers = specs.flatMap(spec => (spec?.['containers'] ?? []) as { image: string }[]);
  return [...new Set(containers.map(({ image }) => image))].toSorted();
}

/** Waits for a step in the ledger. The status is written later, in particular if the controller is on the node that reboots. */
const waitForStep = ({ kubectl }: Operator, node: string, step: string) =>
  kubectl.waitForObject(
    ['nodeagent', node],
    agent => (agent.spec?.['operation'] as { step?: string } | undefined)?.step === step,
    120,
  );

/** Starts an upgrade, replaces all programs of the operator when the node is at `step`, and expects one reboot per node. */
export async function replaceOperatorAt(
  operator: Operator,
  { name, node, step, to }: { name: string; node: string; step: string; to: ProductImages },
): Promise<void> {
  const powerEvents = operator.machines.map(countPowerEvents);
  await operator.kubectl.apply(upgradeOf(name, operator.nextImage.ref, { force: true }));
  await waitForStep(operator, node, step);
  await install(operator.cluster, to);
  const upgrade = await waitUntilFinished(operator, 'nodeopupgrade', name);
  expect(Object.values(nodeStatuses(upgrade)).map(({ phase, rebootStatus }) => [phase, rebootStatus])).toEqual(
    Array.from({ length: 3 }, () => ['Completed', 'completed']),
  );
  expect(powerEvents.map(count => count())).toEqual(Array.from({ length: 3 }, () => ({ boots: 1, requests: 1 })));
  expect(await runningImages(operator)).toEqual([to.operator.ref, to.agent.ref].toSorted());
  await expectClean(operator, 'n1', 'n2', 'n3');
}
