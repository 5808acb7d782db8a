/** Kairos releases as images in the test registry, optionally with a built-in failure. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Image } from '../images.js';
import { OPERATOR_NAMESPACE } from '../install.js';
import { type KairosVersion, releaseFiles } from '../kairos-identity.js';
import type { Registry } from '../registry.js';
import { waitFor } from '../wait.js';
import { type Operator, upgradeOf } from './operator.js';

export const SOFTWARE = 'v1.34.4+k3s1';
export const versionTriple = (version: string): string => `${version}-k3s${SOFTWARE}`;
export const PULL_SECRET = 'test-registry';

/** How the stand-in agent fails instead of upgrading: see `node/image-kairos-agent`. */
export type FailureMode = 'HANG' | 'HALF' | 'CANNOT_BOOT';

interface Release extends KairosVersion {
  base: Image;
  failureMode?: FailureMode;
  /** Fields of the release file that differ from the usual ones, by key without prefix. */
  releaseFields?: Record<string, string>;
}

/** Pushes the release to the registry and returns its digest. */
export const pushRelease = (
  registry: Registry,
  name: string,
  { base, failureMode, releaseFields = {}, ...version }: Release,
): Promise<string> => {
  const files = releaseFiles({ softwareVersion: SOFTWARE, ...version });
  const fields = Object.entries(releaseFields).map(([key, value]) => `KAIROS_${key}="${value}"\n`);
  const settings = `FAIL=0\nSLEEP=0\n${failureMode === undefined ? '' : `${failureMode}=yes\n`}`;
  return registry.push(name, base, {
    files: {
      // Of two lines with the same key the last one takes effect.
      'etc/kairos-release': [files['kairos-release'] ?? '', ...fields].join(''),
      'etc/os-release': files['os-release'],
      'etc/kairos-agent-stand-in': settings,
    },
  });
};

/** Reboots these nodes into other versions, and waits until the operator works again. */
export async function installVersions({ cluster, kubectl }: Operator, versions: Record<string, string>): Promise<void> {
  const each = Object.entries(versions).map(async ([node, version]) => {
    await cluster.resetNodes({ version, softwareVersion: SOFTWARE }, [node]);
    const condition = `--for=jsonpath={.status.release.version}=${version}`;
    await kubectl.do(['wait', condition, `nodeagent/${node}`, '--timeout=60s']);
  });
  await Promise.all(each);
  // Replicas of the webhook may have been on these nodes.
  await kubectl.do(['rollout', 'status', 'deployment/operator-webhook', '-n', OPERATOR_NAMESPACE, '--timeout=60s']);
  const nodeOp = JSON.stringify(upgradeOf('webhook-probe', 'localhost/kairos:1'));
  const isAccepted = async () => {
    const { code } = await kubectl.try(['create', '--dry-run=server', '-f', '-'], { stdin: nodeOp });
    return code === 0;
  };
  await waitFor(isAccepted, { what: 'the webhook to respond after the reboots', seconds: 60, everyMs: 500 });
}

/** Returns a function that counts the boots of each machine since this call. */
export function countBoots({ machines }: Pick<Operator, 'machines'>): () => number[] {
  const before = machines.map(machine => machine.bootCount());
  return () => machines.map((machine, at) => machine.bootCount() - (before[at] ?? 0));
}

/** Kairos version in a slot of a node, whether the slot is booted or not. */
export const versionIn = async ({ cluster }: Operator, node: string, slot: string): Promise<string | undefined> => {
  const text = await cluster.machine(node).readFile(`/run/initramfs/cos-state/${slot}/etc/kairos-release`);
  return /KAIROS_VERSION="(.*)"/.exec(text)?.[1];
};

/** Collects the specs of all Pods with the name prefix that exist while the promise is pending. */
export async function podsDuring<T>(
  { kubectl }: Operator,
  prefix: string,
  pending: Promise<T>,
): Promise<{ value: T; pods: Map<string, Record<string, unknown>> }> {
  const pods = new Map<string, Record<string, unknown>>();
  const stopped = new AbortController();
  const watch = async () => {
    while (!stopped.signal.aborted) {
      for (const { metadata, spec } of (await kubectl.getJson('pods'))?.items ?? [])
        if (metadata?.name?.startsWith(prefix) === true) pods.set(metadata.name, spec ?? {});
      await sleep(200);
    }
  };
  const watching = watch();
  const value = await pending.finally(() => stopped.abort());
  await watching;
  return { value, pods };
}
