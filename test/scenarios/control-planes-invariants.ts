/**
 * Checks the control planes after every change of the cluster, from the observed state and not from the operator's lease: operations
 * never disrupt two control planes at once, and no disruption starts while another control plane, or a static Pod of it, is not Ready.
 */
import { NODE_AGENT, NODE_OP } from '../../api/kinds.js';
import { ANNOTATIONS, CONTAINERS, LABELS } from '../../api/names.js';
import type { NodeAgent, NodeOp } from '../../api/objects.js';
import { NODES, PODS } from '../../kube/resources.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import { isNodeReady, isPodReady, type NodeObject, type PodObject } from '../fakes/cluster/object-types.js';

const WATCHED = new Set(['nodes', 'nodeagents', 'pods', 'jobs']);

type Claim = NonNullable<NodeAgent['spec']['operation']>;

/** Violations of the invariants; the array is filled while the cluster runs. */
export function watchControlPlanes(
  cluster: FakeCluster,
  controlPlanes: readonly string[],
  /** A disruption that was decided just before another node became NotReady may start this much later. */
  decisionDelayMs = 2_000,
): readonly string[] {
  const violations: string[] = [];
  const observer = new ControlPlaneObserver(cluster);
  const before = new Map<string, string>();
  const notReadySince = new Map<string, number>();
  let lastReported = '';
  const check = () => {
    const now = cluster.clock.monotonic();
    const report = (violation: string) => {
      if (violation !== lastReported) violations.push(`${(now / 1000).toFixed(2)} s: ${violation}`);
      lastReported = violation;
    };
    for (const name of controlPlanes)
      if (observer.isReady(name)) notReadySince.delete(name);
      else if (!notReadySince.has(name)) notReadySince.set(name, now);
    const disturbed = controlPlanes.flatMap(name => {
      const why = observer.disturbance(name);
      return why === undefined ? [] : [{ name, why }];
    });
    if (disturbed.length > 1) report(disturbed.map(({ name, why }) => `${name}: ${why}`).join('; '));
    for (const { name, why } of disturbed) {
      const down = controlPlanes.find(
        other => other !== name && (notReadySince.get(other) ?? now) < now - decisionDelayMs,
      );
      if (!before.has(name) && down !== undefined)
        report(`disruption of ${name} starts (${why}) while ${down} is not Ready`);
    }
    before.clear();
    for (const { name, why } of disturbed) before.set(name, why);
  };
  cluster.api.onChange((plural, { object }) => {
    observer.note(plural, object);
    if (WATCHED.has(plural)) check();
  });
  return violations;
}

/** Derives from the objects of one cluster which nodes are disrupted. */
class ControlPlaneObserver {
  readonly #cluster: FakeCluster;
  /** Uids of operations that cordon or reboot, including deleted ones. */
  readonly #disruptive = new Set<string>();
  /** The uid of its operation by the uid of a Pod. */
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
    return node !== undefined && isNodeReady(node) && this.#staticPods(name).every(isPodReady);
  }

  #staticPods(node: string): PodObject[] {
    return this.#cluster.machine(node).staticPods.flatMap(({ name }) => {
      const pod = this.#cluster.api.find<PodObject>(PODS, { name: `${name}-${node}`, namespace: 'kube-system' });
      return pod ? [pod] : [];
    });
  }

  /** Describes how an operation disrupts this node, or may do so at any moment; undefined when none does. */
  disturbance(name: string): string | undefined {
    const agent = this.#cluster.api.find<NodeAgent>(NODE_AGENT, { name });
    const claim = agent?.spec.operation;
    const disruptive = claim && this.#disruptive.has(claim.nodeOp.uid) ? claim : undefined;
    return this.#work(name) ?? this.#reboot(name) ?? (agent && disruptive && this.#claimed(agent, disruptive));
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
    return works ? 'the Job of a disruptive operation runs' : undefined;
  }

  #reboot(name: string): string | undefined {
    const { up, shutdowns } = this.#cluster.machine(name);
    return !up && shutdowns.at(-1) === 'agent' ? 'it is rebooting' : undefined;
  }

  #claimed(
    { status, metadata: { name } }: NodeAgent,
    { id, stepTimes, result, reboot, rebootWithdrawn, step, nodeOp }: Claim,
  ) {
    const description = `claimed by ${nodeOp.namespace}/${nodeOp.name} at ${step}`;
    if (result === undefined) return (stepTimes.Cordon ?? stepTimes.Run) ? description : undefined;
    const answer = status?.operation?.id === id ? status.operation.reboot?.state : undefined;
    const mayReboot = reboot !== undefined || rebootWithdrawn === true;
    if (mayReboot && answer !== 'Rebooted' && answer !== 'Cancelled' && answer !== 'Failed')
      return `${description}, may reboot`;
    /* A cordon that an earlier attempt left for inspection was not set by this walk. */
    const left = stepTimes.Cordon === undefined || (result.phase === 'Failed' && stepTimes.Run !== undefined);
    return !left && this.#isCordonedByUs(name) ? `${description}, still cordoned` : undefined;
  }

  #isCordonedByUs(name: string): boolean {
    const node = this.#cluster.api.find<NodeObject>(NODES, { name });
    return node?.spec.unschedulable === true && node.metadata.annotations?.[ANNOTATIONS.cordonedBy] !== undefined;
  }
}
