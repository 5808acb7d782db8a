/** The note that a running real cluster leaves, from which another process can use it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NodePlan } from './layout.js';
import { clusterKey } from './leftovers.js';
import { stateFolder } from './places.js';
import { type ProcessRecord, writeWhole } from './process-record.js';

export interface ClusterNote {
  index: number;
  nodes: NodePlan[];
  runFolder: string;
  kubectl: string;
  kubeconfig: string;
  url: string;
  /** The process that started it. */
  owner: ProcessRecord;
}

const noteFile = (index: number) => join(stateFolder(clusterKey(index)), 'cluster.json');

/** Written when the cluster is up, so that nobody attaches to half of one. */
export function writeNote(note: ClusterNote): void {
  writeWhole(noteFile(note.index), note);
}

export function readNote(index: number): ClusterNote | undefined {
  const file = noteFile(index);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as ClusterNote) : undefined;
}
