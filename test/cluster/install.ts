/** Installs the operator as a user does, with `kubectl apply -k`, from images that the nodes already have. */
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parse, stringify } from 'yaml';
import { type Kubectl, waitFor } from './kubectl.js';
import { repository } from './places.js';
import type { ProductImage, ProductImages } from './product-images.js';

/** As much of a cluster as installing needs; every cluster of the harness fits. */
export interface Installable {
  kubectl: Kubectl;
}

export interface InstallOptions {
  /** Where to install; the manifests' own namespace when absent. */
  namespace?: string;
  /** For everything to be running. */
  seconds?: number;
}

export const OPERATOR_NAMESPACE = 'operator-system';

const WORKLOADS = [
  'deployment/operator-controller',
  'deployment/operator-webhook',
  'daemonset/operator-agent',
] as const;

/** Applies the default manifests with these images and waits until all three programs run and the webhook judges. The nodes must have the images. */
export async function install(
  cluster: Installable,
  images: ProductImages,
  options: InstallOptions = {},
): Promise<void> {
  const { namespace = OPERATOR_NAMESPACE } = options;
  await withOverlay({ images, namespace }, folder => cluster.kubectl.do(['apply', '-k', folder]));
  await installed(cluster, options);
}

/** All three programs run and the webhook judges. */
export async function installed(cluster: Installable, options: InstallOptions = {}): Promise<void> {
  const { namespace = OPERATOR_NAMESPACE, seconds = 180 } = options;
  for (const workload of WORKLOADS) await rolledOut(cluster.kubectl, namespace, workload, seconds);
  await webhookJudges(cluster.kubectl);
}

/** Deletes the wishes, waits for their ends, and deletes the operator: the order that the documents ask for. */
export async function uninstall(cluster: Installable, options: InstallOptions = {}): Promise<void> {
  const { namespace = OPERATOR_NAMESPACE, seconds = 180 } = options;
  const { kubectl } = cluster;
  const limit = [`--timeout=${seconds}s`];
  if ((await kubectl.getJson('crd', 'nodeops.operator.kairos.io')) !== undefined)
    await kubectl.do(['delete', 'nodeopupgrades,nodeops', '--all', '--all-namespaces', ...limit], { seconds });
  await withOverlay({ namespace }, folder =>
    kubectl.do(['delete', '-k', folder, '--ignore-not-found', ...limit], { seconds }),
  );
}

interface Plan {
  images?: ProductImages;
  namespace: string;
}

/** A kustomization over the published one, as a user would write it to change images or namespace. */
export function overlay({ images, namespace }: Plan, folder: string): object {
  const manifests = (name: string) => relative(folder, join(repository, 'manifests', name));
  return {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [manifests('default')],
    ...(namespace === OPERATOR_NAMESPACE ? {} : { namespace }),
    ...(images === undefined ? {} : { images: replaced(images) }),
    transformers: [manifests('derived')],
  };
}

/** Writes the overlay for as long as the work lasts. */
export async function withOverlay<T>(plan: Plan, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'operator-overlay-')));
  try {
    writeFileSync(join(folder, 'kustomization.yaml'), stringify(overlay(plan, folder)));
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The published names, from the one place that has them, and what stands for them here. */
function replaced(images: ProductImages): object[] {
  const text = readFileSync(join(repository, 'manifests/default/kustomization.yaml'), 'utf8');
  const { images: published } = parse(text) as { images: { name: string; newName: string }[] };
  const ours: Record<string, ProductImage> = {
    'kairos-operator': images.operator,
    'kairos-operator-agent': images.agent,
  };
  return published.map(({ name, newName }) => {
    const image = ours[name];
    if (image === undefined) throw new Error(`there is no image for ${name}`);
    const colon = image.ref.lastIndexOf(':');
    return { name: newName, newName: image.ref.slice(0, colon), newTag: image.ref.slice(colon + 1) };
  });
}

async function rolledOut(kubectl: Kubectl, namespace: string, workload: string, seconds: number): Promise<void> {
  const result = await kubectl.try(['rollout', 'status', workload, '-n', namespace, `--timeout=${seconds}s`], {
    seconds: seconds + 10,
  });
  if (result.code === 0) return;
  const part = workload.replace(/.*operator-/, '');
  const pods = ['-n', namespace, '-l', `app.kubernetes.io/component=${part}`];
  const told = await Promise.all([
    kubectl.try(['describe', 'pods', ...pods]),
    kubectl.try(['logs', ...pods, '--tail=30', '--prefix', '--all-containers']),
  ]);
  const words = told.map(({ stdout, stderr }) => `${stdout}${stderr}`.slice(-4000)).join('\n');
  throw new Error(`${workload} did not become ready: ${result.stderr.trim()}\n${words}`);
}

/** A wish that the CRD lets pass and the webhook refuses; it is only tried. The API server learns of a new webhook with some delay. */
async function webhookJudges(kubectl: Kubectl): Promise<void> {
  const nodeOp = stringify({
    apiVersion: 'operator.kairos.io/v1alpha1',
    kind: 'NodeOp',
    metadata: { name: 'is-the-webhook-there', namespace: 'default' },
    spec: { command: ['true'], nodeSelector: { matchExpressions: [{ key: 'nobody', operator: 'In' }] } },
  });
  let answer = '';
  await waitFor(
    async () => {
      const { stdout, stderr } = await kubectl.try(['apply', '--dry-run=server', '-f', '-'], { stdin: nodeOp });
      answer = `${stdout}${stderr}`;
      return answer.includes('spec.nodeSelector.matchExpressions[0].values');
    },
    { what: 'the webhook to refuse a wrong wish', seconds: 60, everyMs: 500, instead: () => answer },
  );
}
