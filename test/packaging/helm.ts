/** Runs the real Helm from the cache, and compiles it into the cache like the Kubernetes programs. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { cacheFolder, repository } from '../cluster/paths.js';
import { mustRun } from '../cluster/run-command.js';
import { type Manifest, manifestsIn } from './objects.js';

export const HELM_VERSION = 'v3.19.2';
const PACKAGE = 'helm.sh/helm/v3/cmd/helm';

const program = () => join(cacheFolder(), `helm-${HELM_VERSION}`, 'helm');

export const findHelm = (): string | undefined => (existsSync(program()) ? program() : undefined);

/** Compiling takes about three minutes on two cores. */
export async function ensureHelm(): Promise<string> {
  const file = program();
  if (existsSync(file)) return file;
  const folder = join(cacheFolder(), `helm-${HELM_VERSION}`);
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(folder, 'draft-'));
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=mod', GO111MODULE: 'on' };
  const go = (...args: string[]) => mustRun('go', args, { cwd: work, env });
  await go('mod', 'init', 'helm-binary');
  writeFileSync(join(work, 'tools.go'), `package tools\n\nimport _ "${PACKAGE}"\n`);
  await go('get', `${PACKAGE}@${HELM_VERSION}`);
  await go('build', '-trimpath', '-ldflags', '-s -w', '-o', 'helm', PACKAGE);
  renameSync(join(work, 'helm'), file);
  rmSync(work, { recursive: true, force: true });
  return file;
}

export interface ChartInputs {
  values?: object;
  /** Namespace of the release. */
  release?: string;
  /** Version of the cluster. */
  kubernetes?: string;
}

export const KUBERNETES = '1.34.0';

export const CHART = join(repository, 'manifests/chart');

/** Renders the chart. Throws with Helm's message when Helm rejects the values. */
export function helmText(
  helm: string,
  { values = {}, release = 'default', kubernetes = KUBERNETES }: ChartInputs = {},
): string {
  const args = [
    'template',
    'kairos-operator',
    CHART,
    '--kube-version',
    kubernetes,
    '--namespace',
    release,
    '--values',
    '-',
  ];
  return execFileSync(helm, args, { input: stringify(values), encoding: 'utf8', maxBuffer: 1 << 26, stdio: 'pipe' });
}

export const helmTemplate = (helm: string, inputs?: ChartInputs): Manifest[] => manifestsIn(helmText(helm, inputs));
