/** The record of a running real cluster, with which another process can attach to it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NodePlan } from './layout.js';
import { clusterKey } from './cleanup.js';
import { stateFolder } from './paths.js';
import { type ProcessRecord, writeAtomically } from './process-record.js';

export interface ClusterRecord {
  index: number;
  nodes: NodePlan[];
  runFolder: string;
  kubectl: string;
  kubeconfig: string;
  url: string;
  /** The process that started the cluster. */
  owner: ProcessRecord;
}

const recordFile = (index: number) => join(stateFolder(clusterKey(index)), 'cluster.json');

/** Written only after the cluster has started, so that no process attaches to an incomplete cluster. */
export function writeClusterRecord(record: ClusterRecord): void {
  writeAtomically(recordFile(record.index), record);
}

export function readClusterRecord(index: number): ClusterRecord | undefined {
  const file = recordFile(index);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as ClusterRecord) : undefined;
}
