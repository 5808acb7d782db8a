/** Kairos images of the stories' own registry: each one a release, with or without a mishap built in. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Image } from '../images.js';
import { OPERATOR_NAMESPACE } from '../install.js';
import { type KairosVersion, releaseFiles } from '../kairos-identity.js';
import type { Registry } from '../registry.js';
import { waitFor } from '../wait.js';
import { type Operator, upgradeOf } from './operator.js';

export const SOFTWARE = 'v1.34.4+k3s1';
export const triple = (version: string): string => `${version}-k3s${SOFTWARE}`;
export const SECRET = 'registry-of-stories';

/** What the stand-in does instead of an upgrade: see `node/image-kairos-agent`. */
export type Mishap = 'HANG' | 'HALF' | 'CANNOT_BOOT';

interface Release extends KairosVersion {
  base: Image;
  mishap?: Mishap;
  /** Keys of the release file that are not the usual ones, without their prefix. */
  says?: Record<string, string>;
}

/** Puts that release into the registry under the name; returns its digest. */
export const release = (
  registry: Registry,
  name: string,
  { base, mishap, says = {}, ...version }: Release,
): Promise<string> => {
  const files = releaseFiles({ softwareVersion: SOFTWARE, ...version });
  const more = Object.entries(says).map(([key, value]) => `KAIROS_${key}="${value}"\n`);
  const settings = `FAIL=0\nSLEEP=0\n${mishap === undefined ? '' : `${mishap}=yes\n`}`;
  return registry.push(name, base, {
    files: {
      // the last of two lines with the same key holds
      'etc/kairos-release': [files['kairos-release'], ...more].join(''),
      'etc/os-release': files['os-release'],
      'etc/kairos-agent-stand-in': settings,
    },
  });
};

/** Puts other versions on the disks of these nodes, as if they had been delivered so; the operator is at work again afterwards. */
export async function delivered({ cluster, kubectl }: Operator, versions: Record<string, string>): Promise<void> {
  const each = Object.entries(versions).map(async ([node, version]) => {
    await cluster.resetNodes({ version, softwareVersion: SOFTWARE }, [node]);
    const told = `--for=jsonpath={.status.release.version}=${version}`;
    await kubectl.do(['wait', told, `nodeagent/${node}`, '--timeout=60s']);
  });
  await Promise.all(each);
  // replicas of the webhook were on these nodes, too
  await kubectl.do(['rollout', 'status', 'deployment/operator-webhook', '-n', OPERATOR_NAMESPACE, '--timeout=60s']);
  const nodeOp = JSON.stringify(upgradeOf('is-anybody-there', 'localhost/kairos:1'));
  const isJudged = async () => {
    const { code } = await kubectl.try(['create', '--dry-run=server', '-f', '-'], { stdin: nodeOp });
    return code === 0;
  };
  await waitFor(isJudged, { what: 'the webhook to answer after reboots', seconds: 60, everyMs: 500 });
}

/** Boots of each machine since this was called. */
export function bootsFrom({ machines }: Pick<Operator, 'machines'>): () => number[] {
  const before = machines.map(machine => machine.bootCount());
  return () => machines.map((machine, at) => machine.bootCount() - (before[at] ?? 0));
}

/** What is written in a slot of a node's disk, booted or not. */
export const versionIn = async ({ cluster }: Operator, node: string, slot: string): Promise<string | undefined> => {
  const text = await cluster.machine(node).readFile(`/run/initramfs/cos-state/${slot}/etc/kairos-release`);
  return /KAIROS_VERSION="(.*)"/.exec(text)?.[1];
};

/** Every Pod with a name that begins so and that is seen while the promise is pending, as its spec was. */
export async function podsDuring<T>(
  { kubectl }: Operator,
  prefix: string,
  pending: Promise<T>,
): Promise<{ value: T; pods: Map<string, Record<string, unknown>> }> {
  const pods = new Map<string, Record<string, unknown>>();
  const over = new AbortController();
  const watch = async () => {
    while (!over.signal.aborted) {
      for (const { metadata, spec } of (await kubectl.getJson('pods'))?.items ?? [])
        if (metadata?.name?.startsWith(prefix) === true) pods.set(metadata.name, spec ?? {});
      await sleep(200);
    }
  };
  const watching = watch();
  const value = await pending.finally(() => over.abort());
  await watching;
  return { value, pods };
}
