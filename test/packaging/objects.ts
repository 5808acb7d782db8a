/** Parses, finds and compares Kubernetes objects in manifests. */
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { findBinary } from '../cluster/binaries.js';
import { repository } from '../cluster/paths.js';

export interface Manifest {
  kind: string;
  metadata: { name: string; namespace?: string; annotations?: Record<string, string> };
  spec?: { template?: { spec: { containers: Container[]; imagePullSecrets?: object[] } }; [field: string]: unknown };
  [field: string]: unknown;
}

export interface Container {
  name: string;
  image: string;
  env?: { name: string; value?: string }[];
  [field: string]: unknown;
}

export const manifestsIn = (text: string): Manifest[] =>
  parseAllDocuments(text).flatMap(document => (document.toJS() as Manifest | null) ?? []);

const keyOf = ({ kind, metadata: { namespace, name } }: Manifest): string => `${kind} ${namespace ?? ''}/${name}`;

/** Indexes objects by kind, namespace and name, so that their order does not matter in comparisons. */
export const byName = (manifests: readonly Manifest[]): Record<string, Manifest> =>
  Object.fromEntries(manifests.map(manifest => [keyOf(manifest), manifest]));

/** Removes Helm's annotation for keeping an object on uninstallation. */
export function withoutKeepPolicy({ metadata: { annotations, ...metadata }, ...manifest }: Manifest): Manifest {
  const { 'helm.sh/resource-policy': _, ...others } = annotations ?? {};
  return { ...manifest, metadata: Object.keys(others).length > 0 ? { ...metadata, annotations: others } : metadata };
}

export function find(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.find(one => one.kind === kind && one.metadata.name === name);
  if (found === undefined) throw new Error(`the manifests have no ${kind} named ${name}`);
  return found;
}

export function containerOf(manifests: readonly Manifest[], kind: string, name: string): Container {
  const [container] = find(manifests, kind, name).spec?.template?.spec.containers ?? [];
  if (container === undefined) throw new Error(`${kind} ${name} has no container`);
  return container;
}

/** The environment variables of the controller. */
export const controllerEnv = (manifests: readonly Manifest[]): Record<string, string | undefined> =>
  Object.fromEntries(
    (containerOf(manifests, 'Deployment', 'operator-controller').env ?? []).map(({ name, value }) => [name, value]),
  );

const kubectl = findBinary('kubectl') ?? 'kubectl';
export const hasKubectl = spawnSync(kubectl, ['version', '--client'], { stdio: 'ignore' }).status === 0;

export const kustomized = (folder: string): Manifest[] =>
  manifestsIn(execFileSync(kubectl, ['kustomize', folder], { encoding: 'utf8', maxBuffer: 1 << 26 }));

export const installed = (): Manifest[] => kustomized(join(repository, 'config/default'));
