/** Every installation method works, and its removal leaves nothing behind. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEBIAN_PACKAGES } from '../../../packaging/supply/debian-packages.js';
import { findHelm } from '../../packaging/helm.js';
import { ownText } from '../../packaging/chart-renderer.js';
import { imageContents } from '../image-contents.js';
import { allObjects, nameOf, mentioning } from '../all-objects.js';
import { install, waitUntilInstalled, OPERATOR_NAMESPACE, uninstall } from '../install.js';
import { repository } from '../paths.js';
import { type ProductImages, productImages } from '../product-images.js';
import { waitFor } from '../wait.js';
import { waitUntilFinished, jobsOf, nodeOpOf, type Operator, setUpOperator } from './operator.js';

jest.setTimeout(900_000);

const OURS = /kairos|operator-(system|agent|controller|webhook)/;
const textOf = (path: string) => readFileSync(join(repository, path), 'utf8');

let operator: Operator;
let images: ProductImages;
let before: string[];
beforeAll(async () => {
  operator = await setUpOperator(3);
  images = await productImages();
  await uninstall(operator.cluster);
  await removeNodeMetadata();
  before = await objectNames();
});

// Other test files expect an installed operator.
afterAll(async () => {
  await install(operator.cluster, images);
});

const objectNames = async () => (await allObjects(operator.kubectl)).map(nameOf).toSorted();

/** Runs the commands of docs/install.md that remove labels and annotations from nodes. */
async function removeNodeMetadata(): Promise<void> {
  const commands = [...textOf('docs/install.md').matchAll(/^kubectl ((?:label|annotate) nodes --all .*)$/gm)];
  expect(commands).toHaveLength(2);
  for (const [, command = ''] of commands) await operator.kubectl.do(command.split(' '));
}

/** Runs an operation on all nodes and returns its final phase. */
async function runOperation(): Promise<unknown> {
  await operator.kubectl.apply(nodeOpOf('install-check', { command: ['true'], concurrency: 0 }));
  return (await waitUntilFinished(operator, 'nodeop', 'install-check')).status?.phase;
}

/** Names of the pull secrets of each Job's Pod. A Secret that does not exist is ignored by the kubelet. */
async function pullSecrets(): Promise<string[][]> {
  const jobs = await jobsOf(operator, 'install-check');
  return jobs.map(({ spec }) => {
    const { template } = spec as { template: { spec: { imagePullSecrets?: { name: string }[] } } };
    return (template.spec.imagePullSecrets ?? []).map(({ name }) => name);
  });
}

/** Deletes all operations, which docs/install.md requires before the operator is removed. */
async function removeOperations(): Promise<void> {
  const all = ['--all', '--all-namespaces', '--timeout=60s'];
  await operator.kubectl.do(['delete', 'nodeopupgrades,nodeops,osartifacts', ...all]);
  // After the CRDs are deleted, the garbage collector cannot resolve the owners of these Jobs and keeps them.
  const ours = ['--all-namespaces', '-l', 'operator.kairos.io/nodeop-uid'];
  await operator.kubectl.do(['wait', '--for=delete', 'jobs', ...ours, '--timeout=240s'], { seconds: 250 });
}

/** Waits until the garbage collector has removed all new objects, and returns the names of the remaining objects. */
async function waitForGarbageCollection(): Promise<string[]> {
  let names: string[] = [];
  const hasOnlyOldObjects = async () => {
    names = await objectNames();
    return names.every(name => before.includes(name));
  };
  const leftObjects = () => names.filter(name => !before.includes(name)).join('\n');
  await waitFor(hasOnlyOldObjects, {
    what: 'all objects of the operator to be deleted',
    seconds: 180,
    everyMs: 1000,
    diagnose: leftObjects,
  });
  return names;
}

const objectsOfOperator = async () => mentioning(OURS, await allObjects(operator.kubectl));

/** Replaces the published images by those that the nodes have. */
const withImages = (text: string): string =>
  text.replace(/quay\.io\/kairos\/operator-ts(-agent)?:[\w.-]+/g, (_, agent) =>
    agent === undefined ? images.operator.ref : images.agent.ref,
  );

interface Installation {
  namespace: string;
  /** Pull secrets of every Pod that the operator creates. */
  secrets?: string[];
  apply: () => Promise<unknown>;
  remove: () => Promise<unknown>;
}

const oneFile: Installation = {
  namespace: OPERATOR_NAMESPACE,
  apply: () => operator.kubectl.apply(withImages(textOf('manifests/install.yaml'))),
  remove: () => operator.kubectl.do(['delete', '-f', join(repository, 'manifests/install.yaml'), '--timeout=120s']),
};

const overlay: Installation = {
  namespace: 'other-namespace',
  apply: () => install(operator.cluster, images, { namespace: 'other-namespace' }),
  remove: () => uninstall(operator.cluster, { namespace: 'other-namespace' }),
};

const imageValues = (ref: string) => {
  const colon = ref.lastIndexOf(':');
  return { repository: ref.slice(0, colon), tag: ref.slice(colon + 1) };
};
const values = () => ({
  namespace: { name: 'by-chart' },
  networkPolicy: { create: true },
  images: {
    operator: imageValues(images.operator.ref),
    agent: imageValues(images.agent.ref),
    pullSecrets: [{ name: 'missing-secret' }],
  },
});
const CRDS = ['nodeops.operator', 'nodeopupgrades.operator', 'nodeagents.operator', 'osartifacts.build'];
const deleteCrds = () =>
  operator.kubectl.do(['delete', 'crd', ...CRDS.map(kind => `${kind}.kairos.io`), '--timeout=120s']);

const chart = join(repository, 'manifests/chart');
const OLD_DESCRIPTION = 'description of an older chart';

/** An older chart, whose CRDs have another description. */
function olderChart(): string {
  const folder = mkdtempSync(join(tmpdir(), 'older-chart-'));
  cpSync(chart, folder, { recursive: true });
  const file = join(folder, 'templates/crds.yaml');
  const text = readFileSync(file, 'utf8');
  expect(text).toContain('Kairos version of the host');
  writeFileSync(file, text.replaceAll('Kairos version of the host', OLD_DESCRIPTION));
  return folder;
}

function withHelm(helm: string): Installation {
  const run = (...args: string[]) =>
    Promise.resolve(
      execFileSync(helm, args, {
        input: JSON.stringify(values()),
        env: { ...process.env, KUBECONFIG: operator.kubectl.kubeconfig },
        encoding: 'utf8',
      }),
    );
  return {
    namespace: 'by-chart',
    secrets: ['missing-secret'],
    apply: async () => {
      const older = olderChart();
      await run('install', 'kairos-operator', older, '--values', '-');
      rmSync(older, { recursive: true });
      await run('upgrade', 'kairos-operator', chart, '--values', '-');
      expect(JSON.stringify(await operator.kubectl.getJson('crd', 'nodeagents.operator.kairos.io'))).not.toContain(
        OLD_DESCRIPTION,
      );
    },
    remove: async () => {
      await run('uninstall', 'kairos-operator', '--wait', '--timeout', '120s');
      await deleteCrds();
      await operator.kubectl.do(['delete', 'namespace', 'by-chart', '--timeout=120s']);
    },
  };
}

/** Without helm the test applies the rendered chart. */
const withOwnRenderer: Installation = {
  namespace: 'by-chart',
  secrets: ['missing-secret'],
  apply: () => operator.kubectl.apply(ownText({ values: values() })),
  remove: () => operator.kubectl.do(['delete', '-f', '-', '--timeout=120s'], { stdin: ownText({ values: values() }) }),
};

describe.each(['operator', 'agent'] as const)('the image of the %s', program => {
  test('has the image labels, the licences and the SBOM', async () => {
    const name = program === 'operator' ? 'kairos-operator' : 'kairos-operator-agent';
    const { labels, files } = await imageContents(images[program].tar);
    expect(labels).toMatchObject({
      'org.opencontainers.image.title': name,
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'org.opencontainers.image.base.name': expect.stringContaining('kairos-operator-base'),
    });
    const licences = files.filter(file => file.startsWith('licenses/'));
    const debian = program === 'agent' ? DEBIAN_PACKAGES.map(one => `licenses/${one.name}.copyright`) : [];
    expect(licences.toSorted()).toEqual(
      ['licenses/LICENSE', `licenses/${name}.THIRD-PARTY-NOTICES`, `licenses/${name}.cdx.json`, ...debian].toSorted(),
    );
  });
});

const helm = findHelm();
describe.each([
  ['the single manifest', oneFile],
  ['an overlay, in another namespace', overlay],
  ['the chart, in another namespace', helm === undefined ? withOwnRenderer : withHelm(helm)],
])('an installation by %s', (_way, { namespace, secrets = [], apply, remove }) => {
  test('runs an operation on all nodes', async () => {
    await apply();
    await waitUntilInstalled(operator.cluster, { namespace });
    expect(await runOperation()).toBe('Completed');
    expect(await pullSecrets()).toEqual(operator.machines.map(() => secrets));
  });

  test('leaves no object behind after its removal', async () => {
    await removeOperations();
    await remove();
    expect(await waitForGarbageCollection()).toEqual(before);
    expect(await objectsOfOperator()).toEqual(operator.machines.map(({ name }) => `v1 Node /${name}`)); // The labels that nodes have from their agents remain …
    await removeNodeMetadata(); // … until the documented commands remove them.
    expect(await objectsOfOperator()).toEqual([]);
  });
});
