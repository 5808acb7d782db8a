/** The state of the cluster at one moment, and its text: the demo's table and the changes between two snapshots. */
import type { NodeOpUpgradeStatus } from '../api/nodeop-upgrade.js';
import type { StepName } from '../api/node-status.js';
import { table } from './table.js';

/** The part of a Node object that the demo shows. */
export interface NodeState {
  name: string;
  controlPlane: boolean;
  version?: string;
  schedulable: boolean;
  ready: boolean;
}

export interface Snapshot {
  nodes: readonly NodeState[];
  /** Boots of each machine since the cluster was started. */
  boots: Readonly<Record<string, number>>;
  upgrade: NodeOpUpgradeStatus;
  /** Pods of the sample that are ready now, and how many its disruption budget requires. */
  readyPods: number;
  requiredPods: number;
}

const HEAD = ['NODE', 'ROLE', 'VERSION', 'BOOTS', 'STATE', 'PHASE', 'STEP', 'FOR', 'MESSAGE'];

/** A headline about the upgrade, then a table with one row per node. */
export function snapshotLines(snapshot: Snapshot, now: Date): string[] {
  const rows = snapshot.nodes.map(node => {
    const status = snapshot.upgrade.nodeStatuses?.[node.name];
    return [
      ...stateCells(node, snapshot),
      status?.step ?? '',
      stepAge(node.name, snapshot, now),
      status?.message ?? '',
    ];
  });
  return [headline(snapshot, now), ...table([HEAD, ...rows])];
}

function stateCells(node: NodeState, snapshot: Snapshot): string[] {
  const role = node.controlPlane ? 'control-plane' : 'worker';
  const boots = String(snapshot.boots[node.name] ?? '');
  const phase = snapshot.upgrade.nodeStatuses?.[node.name]?.phase ?? '';
  return [node.name, role, node.version ?? '', boots, state(node), phase];
}

const state = (node: NodeState): string =>
  [node.ready ? 'Ready' : 'NotReady', ...(node.schedulable ? [] : ['cordoned'])].join(', ');

function headline({ upgrade, readyPods, requiredPods }: Snapshot, now: Date): string {
  const elapsed = upgrade.startedAt === undefined ? undefined : now.getTime() - Date.parse(upgrade.startedAt);
  const parts = [
    `upgrade: ${upgrade.phase ?? 'no status yet'}`,
    ...(upgrade.progress === undefined ? [] : [`${upgrade.progress} nodes`]),
    ...(elapsed === undefined ? [] : [wholeSeconds(elapsed)]),
    `sample: ${readyPods} Pods ready, ${requiredPods} required`,
  ];
  return parts.join(' | ');
}

/** How long the node has been in its current step. */
function stepAge(name: string, { upgrade }: Snapshot, now: Date): string {
  const status = upgrade.nodeStatuses?.[name];
  const startedAt = status?.step === undefined ? undefined : status.stepTimes?.[status.step satisfies StepName];
  return startedAt === undefined ? '' : wholeSeconds(now.getTime() - Date.parse(startedAt));
}

/** Clocks of nodes and machine may differ slightly; a negative time would only confuse. */
const wholeSeconds = (ms: number): string => `${Math.max(0, Math.round(ms / 1000))} s`;

/** One line for each node that changed; without a previous snapshot, one line for every node. */
export function changes(before: Snapshot | undefined, snapshot: Snapshot): string[] {
  return snapshot.nodes.flatMap(node => {
    const line = nodeLine(node, snapshot);
    const old = before?.nodes.find(({ name }) => name === node.name);
    return before !== undefined && old !== undefined && nodeLine(old, before) === line ? [] : [line];
  });
}

function nodeLine(node: NodeState, snapshot: Snapshot): string {
  const status = snapshot.upgrade.nodeStatuses?.[node.name];
  const parts = [
    `${node.name}:`,
    node.version ?? 'version unknown',
    `boot ${snapshot.boots[node.name] ?? '?'}`,
    state(node),
    ...(status === undefined ? [] : [status.phase, ...(status.step === undefined ? [] : [status.step])]),
  ];
  const message = status?.message === undefined ? '' : ` | ${status.message}`;
  return `${parts.join(' ')}${message}`;
}
