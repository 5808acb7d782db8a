/** Installs the operator as a user would, with `kubectl apply -k`, from images that the nodes already have. */
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parse, stringify } from 'yaml';
import { type Kubectl, waitFor } from './kubectl.js';
import { repository } from './paths.js';
import type { ProductImage, ProductImages } from './product-images.js';

/** What the installation needs of a cluster. */
export interface Installable {
  kubectl: Kubectl;
}

export interface InstallOptions {
  /** Target namespace; that of the manifests by default. */
  namespace?: string;
  /** Timeout for each workload to become ready. */
  seconds?: number;
}

export const OPERATOR_NAMESPACE = 'operator-system';

const WORKLOADS = [
  'deployment/operator-controller',
  'deployment/operator-webhook',
  'daemonset/operator-agent',
] as const;

/** Applies the default manifests with these images and waits until all workloads are ready and the webhook validates. The nodes must have the images. */
export async function install(
  cluster: Installable,
  images: ProductImages,
  options: InstallOptions = {},
): Promise<void> {
  const { namespace = OPERATOR_NAMESPACE } = options;
  await withOverlay({ images, namespace }, folder => cluster.kubectl.do(['apply', '-k', folder]));
  await waitUntilInstalled(cluster, options);
}

/** Waits until all workloads are ready and the webhook validates. */
export async function waitUntilInstalled(cluster: Installable, options: InstallOptions = {}): Promise<void> {
  const { namespace = OPERATOR_NAMESPACE, seconds = 180 } = options;
  for (const workload of WORKLOADS) await waitForRollout(cluster.kubectl, namespace, workload, seconds);
  await waitForWebhook(cluster.kubectl);
}

/** Deletes all operations, waits until they are deleted, then deletes the operator, in the order that docs/install.md requires. */
export async function uninstall(cluster: Installable, options: InstallOptions = {}): Promise<void> {
  const { namespace = OPERATOR_NAMESPACE, seconds = 180 } = options;
  const { kubectl } = cluster;
  const timeout = [`--timeout=${seconds}s`];
  if ((await kubectl.getJson('crd', 'nodeops.operator.kairos.io')) !== undefined)
    await kubectl.do(['delete', 'nodeopupgrades,nodeops', '--all', '--all-namespaces', ...timeout], { seconds });
  await withOverlay({ namespace }, folder =>
    kubectl.do(['delete', '-k', folder, '--ignore-not-found', ...timeout], { seconds }),
  );
}

interface OverlayPlan {
  images?: ProductImages;
  namespace: string;
  namePrefix?: string;
  nameSuffix?: string;
}

/** A kustomization on top of the published one, as a user would write it to change images or namespace. */
export function overlay({ images, namespace, namePrefix, nameSuffix }: OverlayPlan, folder: string): object {
  const manifests = (name: string) => relative(folder, join(repository, 'manifests', name));
  return {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [manifests('default')],
    ...(namespace === OPERATOR_NAMESPACE ? {} : { namespace }),
    namePrefix,
    nameSuffix,
    ...(images === undefined ? {} : { images: imageOverrides(images) }),
    transformers: [manifests('derived')],
  };
}

/** Runs `work` with a temporary folder that contains the overlay. */
export async function withOverlay<T>(plan: OverlayPlan, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'operator-overlay-')));
  try {
    writeFileSync(join(folder, 'kustomization.yaml'), stringify(overlay(plan, folder)));
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Replaces the published image names, which are read from the default kustomization, by those of the built images. */
function imageOverrides(images: ProductImages): object[] {
  const text = readFileSync(join(repository, 'manifests/default/kustomization.yaml'), 'utf8');
  const { images: published } = parse(text) as { images: { name: string; newName: string }[] };
  const byName: Record<string, ProductImage> = {
    'kairos-operator': images.operator,
    'kairos-operator-agent': images.agent,
  };
  return published.map(({ name, newName }) => {
    const image = byName[name];
    if (image === undefined) throw new Error(`No image was built for ${name}.`);
    const colon = image.ref.lastIndexOf(':');
    return { name: newName, newName: image.ref.slice(0, colon), newTag: image.ref.slice(colon + 1) };
  });
}

async function waitForRollout(kubectl: Kubectl, namespace: string, workload: string, seconds: number): Promise<void> {
  const result = await kubectl.try(['rollout', 'status', workload, '-n', namespace, `--timeout=${seconds}s`], {
    seconds: seconds + 10,
  });
  if (result.code === 0) return;
  const component = workload.replace(/.*operator-/, '');
  const pods = ['-n', namespace, '-l', `app.kubernetes.io/component=${component}`];
  const diagnostics = await Promise.all([
    kubectl.try(['describe', 'pods', ...pods]),
    kubectl.try(['logs', ...pods, '--tail=30', '--prefix', '--all-containers']),
  ]);
  const details = diagnostics.map(({ stdout, stderr }) => `${stdout}${stderr}`.slice(-4000)).join('\n');
  throw new Error(`${workload} did not become ready: ${result.stderr.trim()}\n${details}`);
}

/** Dry-runs a NodeOp that the CRD accepts and the webhook denies, until it is denied: the API server starts to call a new webhook with some delay. */
async function waitForWebhook(kubectl: Kubectl): Promise<void> {
  const nodeOp = stringify({
    apiVersion: 'operator.kairos.io/v1alpha1',
    kind: 'NodeOp',
    metadata: { name: 'webhook-probe', namespace: 'default' },
    spec: { command: ['true'], nodeSelector: { matchExpressions: [{ key: 'example', operator: 'In' }] } },
  });
  let response = '';
  await waitFor(
    async () => {
      const { stdout, stderr } = await kubectl.try(['apply', '--dry-run=server', '-f', '-'], { stdin: nodeOp });
      response = `${stdout}${stderr}`;
      return response.includes('spec.nodeSelector.matchExpressions[0].values');
    },
    { what: 'the webhook to deny an invalid NodeOp', seconds: 60, everyMs: 500, diagnose: () => response },
  );
}
