import type { Clock } from '../program/clock.js';
import type { Log } from '../program/log.js';
import type { Kube } from './kube.js';

export interface LeaseName {
  namespace: string;
  name: string;
  identity: string;
}

export interface LeaderDeps {
  log: Log;
  clock: Clock;
  signal: AbortSignal;
}

/** Waits for the lease, runs `lead` while it is held. */
export async function whileLeader(
  _kube: Kube,
  _lease: LeaseName,
  deps: LeaderDeps,
  lead: (leading: AbortSignal) => Promise<void>,
): Promise<void> {
  await lead(deps.signal);
}
