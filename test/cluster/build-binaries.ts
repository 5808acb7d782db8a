/** Compiles one program from Go modules. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mustRun, run } from './run-command.js';

export const VERSION = 'v1.34.4';
const STAGING = 'v0.34.4'; // the matching version of the Kubernetes libraries

const KUBERNETES = [
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
  'kubectl',
] as const;
type KubernetesBinary = (typeof KUBERNETES)[number];
export type Binary = KubernetesBinary | 'etcd' | 'kwok';

const FOREIGN: Record<Exclude<Binary, KubernetesBinary>, { package: string; version: string }> = {
  etcd: { package: 'go.etcd.io/etcd/server/v3', version: 'v3.6.5' },
  kwok: { package: 'sigs.k8s.io/kwok/cmd/kwok', version: 'v0.7.0' },
};

/** Version stamps. Without them nodes would report v0.0.0-master. */
const STAMPS = [
  `k8s.io/component-base/version.gitVersion=${VERSION}`,
  'k8s.io/component-base/version.gitMajor=1',
  'k8s.io/component-base/version.gitMinor=34',
  'k8s.io/component-base/version.gitTreeState=clean',
  `k8s.io/client-go/pkg/version.gitVersion=${VERSION}`,
];

/** Everything that determines the result. Its hash names the cache folder. */
export const RECIPE = { VERSION, STAGING, FOREIGN, STAMPS, flags: ['-trimpath', '-s -w'], cgo: false };

const GO_ENV = { CGO_ENABLED: '0', GOFLAGS: '-mod=mod', GO111MODULE: 'on' };

/** The program is built in a draft folder and renamed into `folder`, so that an interrupted build leaves no partial file. */
export async function buildBinary(name: Binary, folder: string): Promise<void> {
  const draftFolder = join(folder, '.draft');
  mkdirSync(draftFolder, { recursive: true });
  const work = isKubernetes(name) ? join(draftFolder, 'kubernetes') : mkdtempSync(join(draftFolder, `${name}-`));
  if (isKubernetes(name)) await prepareKubernetes(work);
  else await prepareModule(work, FOREIGN[name]);
  const target = isKubernetes(name) ? `k8s.io/kubernetes/cmd/${name}` : FOREIGN[name].package;
  const stamps = isKubernetes(name) ? STAMPS.map(stamp => `-X ${stamp}`).join(' ') : '';
  const draft = join(draftFolder, name);
  await go(work, ['build', '-trimpath', '-ldflags', `-s -w ${stamps}`, '-o', draft, target]);
  renameSync(draft, join(folder, name));
  if (!isKubernetes(name)) rmSync(work, { recursive: true, force: true });
}

/** Creates a module that requires Kubernetes with its libraries at their published versions, because the go.mod of Kubernetes points at folders that its module does not contain. */
async function prepareKubernetes(work: string): Promise<void> {
  if (existsSync(join(work, 'ready'))) return;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  await go(work, ['mod', 'init', 'kubernetes-binaries']);
  const source = JSON.parse(await go(work, ['mod', 'download', '-json', `k8s.io/kubernetes@${VERSION}`])) as {
    Dir: string;
  };
  const replaced = readFileSync(join(source.Dir, 'go.mod'), 'utf8').matchAll(
    /^\s*(?:replace )?(k8s\.io\/\S+) => \.\//gm,
  );
  const edits = [...replaced].map(([, library]) => `-replace=${library}=${library}@${STAGING}`);
  await go(work, ['mod', 'edit', `-require=k8s.io/kubernetes@${VERSION}`, ...edits]);
  const imports = KUBERNETES.map(name => `import _ "k8s.io/kubernetes/cmd/${name}"\n`).join('');
  writeFileSync(join(work, 'tools.go'), `package tools\n\n${imports}`);
  // It may fail on imports that only tests need. A module that is really missing shows in the build.
  await run('go', ['mod', 'tidy', '-e'], { cwd: work, env: { ...process.env, ...GO_ENV } });
  writeFileSync(join(work, 'ready'), '');
}

async function prepareModule(work: string, source: { package: string; version: string }): Promise<void> {
  await go(work, ['mod', 'init', 'foreign-binary']);
  writeFileSync(join(work, 'tools.go'), `package tools\n\nimport _ "${source.package}"\n`);
  await go(work, ['get', `${source.package}@${source.version}`]);
}

async function go(cwd: string, args: string[]): Promise<string> {
  return await mustRun('go', args, { cwd, env: { ...process.env, ...GO_ENV } });
}

function isKubernetes(name: Binary): name is KubernetesBinary {
  return (KUBERNETES as readonly string[]).includes(name);
}
