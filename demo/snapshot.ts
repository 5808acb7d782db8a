/** What is seen of the cluster at one moment → the table of the tour, and what changed since the last look. */
import type { NodeOpUpgradeStatus } from '../api/nodeop-upgrade.js';
import type { StepName } from '../api/node-status.js';
import { table } from './table.js';

/** One node as `kubectl get node` and its machine tell it. */
export interface NodeSeen {
  name: string;
  controlPlane: boolean;
  version?: string;
  schedulable: boolean;
  ready: boolean;
}

export interface Snapshot {
  nodes: readonly NodeSeen[];
  /** Boots of each machine since the cluster was started. */
  boots: Readonly<Record<string, number>>;
  upgrade: NodeOpUpgradeStatus;
  /** Pods of the sample that answer now, and how many the budget wants. */
  answering: number;
  wanted: number;
}

const HEAD = ['NODE', 'ROLE', 'VERSION', 'BOOTS', 'STATE', 'PHASE', 'STEP', 'FOR', 'MESSAGE'];

/** One line per node under a line about the whole. */
export function snapshotLines(scene: Snapshot, now: Date): string[] {
  const rows = scene.nodes.map(node => {
    const status = scene.upgrade.nodeStatuses?.[node.name];
    return [...standing(node, scene), status?.step ?? '', age(node.name, scene, now), status?.message ?? ''];
  });
  return [headline(scene, now), ...table([HEAD, ...rows])];
}

function standing(node: NodeSeen, scene: Snapshot): string[] {
  const role = node.controlPlane ? 'control-plane' : 'worker';
  const boots = String(scene.boots[node.name] ?? '');
  const phase = scene.upgrade.nodeStatuses?.[node.name]?.phase ?? '';
  return [node.name, role, node.version ?? '', boots, state(node), phase];
}

const state = (node: NodeSeen): string =>
  [node.ready ? 'Ready' : 'NotReady', ...(node.schedulable ? [] : ['cordoned'])].join(', ');

function headline({ upgrade, answering, wanted }: Snapshot, now: Date): string {
  const since = upgrade.startedAt === undefined ? undefined : now.getTime() - Date.parse(upgrade.startedAt);
  const parts = [
    `upgrade: ${upgrade.phase ?? 'not seen yet'}`,
    ...(upgrade.progress === undefined ? [] : [`${upgrade.progress} nodes`]),
    ...(since === undefined ? [] : [whole(since)]),
    `sample: ${answering} Pods answer, ${wanted} must`,
  ];
  return parts.join(' | ');
}

/** How long the node has been in its step. */
function age(name: string, { upgrade }: Snapshot, now: Date): string {
  const status = upgrade.nodeStatuses?.[name];
  const begun = status?.step === undefined ? undefined : status.stepTimes?.[status.step satisfies StepName];
  return begun === undefined ? '' : whole(now.getTime() - Date.parse(begun));
}

const whole = (ms: number): string => `${Math.max(0, Math.round(ms / 1000))} s`;

/** For where nothing can be redrawn: a line for each node that changed. */
export function changes(before: Snapshot | undefined, scene: Snapshot): string[] {
  return scene.nodes.flatMap(node => {
    const line = sentence(node, scene);
    const old = before?.nodes.find(({ name }) => name === node.name);
    return before !== undefined && old !== undefined && sentence(old, before) === line ? [] : [line];
  });
}

function sentence(node: NodeSeen, scene: Snapshot): string {
  const status = scene.upgrade.nodeStatuses?.[node.name];
  const parts = [
    `${node.name}:`,
    node.version ?? 'version unknown',
    `boot ${scene.boots[node.name] ?? '?'}`,
    state(node),
    ...(status === undefined ? [] : [status.phase, ...(status.step === undefined ? [] : [status.step])]),
  ];
  const message = status?.message === undefined ? '' : ` | ${status.message}`;
  return `${parts.join(' ')}${message}`;
}
