/** Every way to install works, and leaves nothing when it is taken back. */
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
import { ended, jobsOf, nodeOpOf, type Operator, operator } from './operator.js';

jest.setTimeout(900_000);

const OURS = /kairos|operator-(system|agent|controller|webhook)/;
const textOf = (path: string) => readFileSync(join(repository, path), 'utf8');

let it: Operator;
let images: ProductImages;
let before: string[];
beforeAll(async () => {
  it = await operator(3);
  images = await productImages();
  await uninstall(it.cluster);
  await forgetNodes();
  before = await names();
});

/* Other stories expect the operator as they left it. */
afterAll(async () => {
  await install(it.cluster, images);
});

const names = async () => (await allObjects(it.kubectl)).map(nameOf).toSorted();

/** The commands of the documents, word by word. */
async function forgetNodes(): Promise<void> {
  const commands = [...textOf('docs/install.md').matchAll(/^kubectl ((?:label|annotate) nodes --all .*)$/gm)];
  expect(commands).toHaveLength(2);
  for (const [, command = ''] of commands) await it.kubectl.do(command.split(' '));
}

/** A wish goes through webhook, controller, the nodes and back. */
async function operationEnds(): Promise<unknown> {
  await it.kubectl.apply(nodeOpOf('proof', { command: ['true'], concurrency: 0 }));
  return (await ended(it, 'nodeop', 'proof')).status?.phase;
}

/** By Job: the Secrets that its Pod pulls by. One that is not there does no harm. */
async function pullSecrets(): Promise<string[][]> {
  const jobs = await jobsOf(it, 'proof');
  return jobs.map(({ spec }) => {
    const { template } = spec as { template: { spec: { imagePullSecrets?: { name: string }[] } } };
    return (template.spec.imagePullSecrets ?? []).map(({ name }) => name);
  });
}

/** As the documents ask for: the wishes first. */
async function removeWishes(): Promise<void> {
  const all = ['--all', '--all-namespaces', '--timeout=60s'];
  await it.kubectl.do(['delete', 'nodeopupgrades,nodeops,osartifacts', ...all]);
  /* Once the kinds are gone, the cluster cannot look for the owners of these any more, and keeps them. */
  const ours = ['--all-namespaces', '-l', 'operator.kairos.io/nodeop-uid'];
  await it.kubectl.do(['wait', '--for=delete', 'jobs', ...ours, '--timeout=240s'], { seconds: 250 });
}

/** Waits for the garbage collection. */
async function namesInTheEnd(): Promise<string[]> {
  let seen: string[] = [];
  const look = async () => {
    seen = await names();
    return seen.every(name => before.includes(name));
  };
  const instead = () => seen.filter(name => !before.includes(name)).join('\n');
  await waitFor(look, { what: 'nothing to be left', seconds: 180, everyMs: 1000, diagnose: instead });
  return seen;
}

const speaking = async () => mentioning(OURS, await allObjects(it.kubectl));

/** The published images by those that the nodes have. */
const withImages = (text: string): string =>
  text.replace(/quay\.io\/kairos\/operator-ts(-agent)?:[\w.-]+/g, (_, agent) =>
    agent === undefined ? images.operator.ref : images.agent.ref,
  );

interface Way {
  namespace: string;
  /** Secrets that are named for every Pod that the operator makes. */
  secrets?: string[];
  put: () => Promise<unknown>;
  take: () => Promise<unknown>;
}

const oneFile: Way = {
  namespace: OPERATOR_NAMESPACE,
  put: () => it.kubectl.apply(withImages(textOf('manifests/install.yaml'))),
  take: () => it.kubectl.do(['delete', '-f', join(repository, 'manifests/install.yaml'), '--timeout=120s']),
};

const overlay: Way = {
  namespace: 'elsewhere',
  put: () => install(it.cluster, images, { namespace: 'elsewhere' }),
  take: () => uninstall(it.cluster, { namespace: 'elsewhere' }),
};

const product = (ref: string) => {
  const colon = ref.lastIndexOf(':');
  return { repository: ref.slice(0, colon), tag: ref.slice(colon + 1) };
};
const values = () => ({
  namespace: { name: 'by-chart' },
  networkPolicy: { create: true },
  images: {
    operator: product(images.operator.ref),
    agent: product(images.agent.ref),
    pullSecrets: [{ name: 'that-is-not-there' }],
  },
});
const KINDS = ['nodeops.operator', 'nodeopupgrades.operator', 'nodeagents.operator', 'osartifacts.build'];
const dropKinds = () => it.kubectl.do(['delete', 'crd', ...KINDS.map(kind => `${kind}.kairos.io`), '--timeout=120s']);

const chart = join(repository, 'manifests/chart');
const OLD = 'Kairos version that the host had';

/** A chart of the day before, whose kinds were described in other words. */
function olderChart(): string {
  const folder = mkdtempSync(join(tmpdir(), 'older-chart-'));
  cpSync(chart, folder, { recursive: true });
  const file = join(folder, 'templates/crds.yaml');
  const text = readFileSync(file, 'utf8');
  expect(text).toContain('Kairos version of the host');
  writeFileSync(file, text.replaceAll('Kairos version of the host', OLD));
  return folder;
}

function byHelm(helm: string): Way {
  const run = (...args: string[]) =>
    Promise.resolve(
      execFileSync(helm, args, {
        input: JSON.stringify(values()),
        env: { ...process.env, KUBECONFIG: it.kubectl.kubeconfig },
        encoding: 'utf8',
      }),
    );
  return {
    namespace: 'by-chart',
    secrets: ['that-is-not-there'],
    put: async () => {
      const older = olderChart();
      await run('install', 'kairos-operator', older, '--values', '-');
      rmSync(older, { recursive: true });
      await run('upgrade', 'kairos-operator', chart, '--values', '-');
      expect(JSON.stringify(await it.kubectl.getJson('crd', 'nodeagents.operator.kairos.io'))).not.toContain(OLD);
    },
    take: async () => {
      await run('uninstall', 'kairos-operator', '--wait', '--timeout', '120s');
      await dropKinds();
      await it.kubectl.do(['delete', 'namespace', 'by-chart', '--timeout=120s']);
    },
  };
}

/** Where there is no helm, its text is applied. */
const byOwnRenderer: Way = {
  namespace: 'by-chart',
  secrets: ['that-is-not-there'],
  put: () => it.kubectl.apply(ownText({ values: values() })),
  take: () => it.kubectl.do(['delete', '-f', '-', '--timeout=120s'], { stdin: ownText({ values: values() }) }),
};

describe.each(['operator', 'agent'] as const)('the image of the %s', which => {
  test('says what it is and carries the licences and the list of what is inside', async () => {
    const name = which === 'operator' ? 'kairos-operator' : 'kairos-operator-agent';
    const { labels, files } = await imageContents(images[which].tar);
    expect(labels).toMatchObject({
      'org.opencontainers.image.title': name,
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'org.opencontainers.image.base.name': expect.stringContaining('kairos-operator-base'),
    });
    const licences = files.filter(file => file.startsWith('licenses/'));
    const lent = which === 'agent' ? DEBIAN_PACKAGES.map(one => `licenses/${one.name}.copyright`) : [];
    expect(licences.toSorted()).toEqual(
      ['licenses/LICENSE', `licenses/${name}.THIRD-PARTY-NOTICES`, `licenses/${name}.cdx.json`, ...lent].toSorted(),
    );
  });
});

const helm = findHelm();
describe.each([
  ['one file', oneFile],
  ['an overlay, in another namespace', overlay],
  ['the chart, in another namespace', helm === undefined ? byOwnRenderer : byHelm(helm)],
])('by %s', (_way, { namespace, secrets = [], put, take }) => {
  test('it works', async () => {
    await put();
    await waitUntilInstalled(it.cluster, { namespace });
    expect(await operationEnds()).toBe('Completed');
    expect(await pullSecrets()).toEqual(it.machines.map(() => secrets));
  });

  test('and is gone without a trace', async () => {
    await removeWishes();
    await take();
    expect(await namesInTheEnd()).toEqual(before);
    expect(await speaking()).toEqual(it.machines.map(({ name }) => `v1 Node /${name}`)); // what they know of themselves stays …
    await forgetNodes(); // … until somebody says otherwise
    expect(await speaking()).toEqual([]);
  });
});
