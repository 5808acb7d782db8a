/**
 * Looks at the control planes after every change of the cluster, by what is there and not by what the operator says of its turns:
 * never are two of them disturbed by operations at once, and none begins to be while another is not Ready.
 */
import { NODE_AGENT, NODE_OP } from '../../api/kinds.js';
import { ANNOTATIONS, CONTAINERS, LABELS } from '../../api/names.js';
import type { NodeAgent, NodeOp } from '../../api/objects.js';
import { NODES, PODS } from '../../kube/resources.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import { type NodeObject, isNodeReady } from '../fakes/cluster/object-types.js';

/** What was decided a moment ago may still be on its way when a node becomes NotReady. */
const ON_ITS_WAY_MS = 2_000;

const WATCHED = new Set(['nodes', 'nodeagents', 'pods', 'jobs']);

type Claim = NonNullable<NodeAgent['spec']['operation']>;

/** The words in which a broken promise is told; filled as the cluster goes on. */
export function watchControlPlanes(cluster: FakeCluster, controlPlanes: readonly string[]): readonly string[] {
  const broken: string[] = [];
  const eye = new ControlPlaneObserver(cluster);
  const before = new Map<string, string>();
  const notReadySince = new Map<string, number>();
  let told = '';
  const look = () => {
    const now = cluster.clock.monotonic();
    const say = (words: string) => {
      if (words !== told) broken.push(`${(now / 1000).toFixed(2)} s: ${words}`);
      told = words;
    };
    for (const name of controlPlanes)
      if (eye.isReady(name)) notReadySince.delete(name);
      else if (!notReadySince.has(name)) notReadySince.set(name, now);
    const disturbed = controlPlanes.flatMap(name => {
      const why = eye.disturbance(name);
      return why === undefined ? [] : [{ name, why }];
    });
    if (disturbed.length > 1) say(disturbed.map(({ name, why }) => `${name}: ${why}`).join('; '));
    for (const { name, why } of disturbed) {
      const down = controlPlanes.find(
        other => other !== name && (notReadySince.get(other) ?? now) < now - ON_ITS_WAY_MS,
      );
      if (!before.has(name) && down !== undefined) say(`${name} begins (${why}) while ${down} is not Ready`);
    }
    before.clear();
    for (const { name, why } of disturbed) before.set(name, why);
  };
  cluster.api.onChange((plural, { object }) => {
    eye.note(plural, object);
    if (WATCHED.has(plural)) look();
  });
  return broken;
}

/** What is seen of one cluster. */
class ControlPlaneObserver {
  readonly #cluster: FakeCluster;
  /** Uids of operations that cordon or reboot, gone ones too. */
  readonly #disruptive = new Set<string>();
  /** Uid of a Pod to the uid of its operation. */
  readonly #operations = new Map<string, string>();

  constructor(cluster: FakeCluster) {
    this.#cluster = cluster;
  }

  note(plural: string, object: { metadata: { uid: string; labels?: Record<string, string> } }): void {
    if (plural === NODE_OP.plural) {
      const { spec } = object as object as NodeOp;
      if (spec.cordon || spec.rebootOnSuccess) this.#disruptive.add(object.metadata.uid);
    }
    const operation = object.metadata.labels?.[LABELS.nodeOpUid];
    if (plural === PODS.plural && operation !== undefined) this.#operations.set(object.metadata.uid, operation);
  }

  isReady(name: string): boolean {
    const node = this.#cluster.api.find<NodeObject>(NODES, { name });
    return node !== undefined && isNodeReady(node);
  }

  /** In words, if an operation keeps this node from its duty, or may do so at any moment. */
  disturbance(name: string): string | undefined {
    const agent = this.#cluster.api.find<NodeAgent>(NODE_AGENT, { name });
    const claim = agent?.spec.operation;
    const held = claim && this.#disruptive.has(claim.nodeOp.uid) ? claim : undefined;
    return this.#work(name) ?? this.#reboot(name) ?? (agent && held && this.#claimed(agent, held));
  }

  #work(name: string): string | undefined {
    const { containerRuns } = this.#cluster;
    const works = containerRuns.some(
      ({ node, container, ended, podUid }) =>
        node === name &&
        ended === undefined &&
        (container === CONTAINERS.work || container === CONTAINERS.sentinel) &&
        this.#disruptive.has(this.#operations.get(podUid) ?? ''),
    );
    return works ? 'a Job of an operation that disturbs runs' : undefined;
  }

  #reboot(name: string): string | undefined {
    const { up, shutdowns } = this.#cluster.machine(name);
    return !up && shutdowns.at(-1) === 'agent' ? 'it is rebooting' : undefined;
  }

  #claimed(
    { status, metadata: { name } }: NodeAgent,
    { id, stepTimes, result, reboot, rebootWithdrawn, step, nodeOp }: Claim,
  ) {
    const words = `held by ${nodeOp.namespace}/${nodeOp.name} at ${step}`;
    if (result === undefined) return (stepTimes.Cordon ?? stepTimes.Run) ? words : undefined;
    const answer = status?.operation?.id === id ? status.operation.reboot?.state : undefined;
    const mayReboot = reboot !== undefined || rebootWithdrawn === true;
    if (mayReboot && answer !== 'Rebooted' && answer !== 'Cancelled' && answer !== 'Failed')
      return `${words}, may reboot`;
    /* A cordon that an earlier attempt left for inspection is none of this walk's doing. */
    const left = stepTimes.Cordon === undefined || (result.phase === 'Failed' && stepTimes.Run !== undefined);
    return !left && this.#isCordonedByUs(name) ? `${words}, still cordoned` : undefined;
  }

  #isCordonedByUs(name: string): boolean {
    const node = this.#cluster.api.find<NodeObject>(NODES, { name });
    return node?.spec.unschedulable === true && node.metadata.annotations?.[ANNOTATIONS.cordonedBy] !== undefined;
  }
}
