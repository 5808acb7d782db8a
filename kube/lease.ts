/** The contents of a Lease, and when it may be acquired. */
import type { Stored } from './kube.js';

export interface LeaseObject extends Stored {
  spec?: {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    acquireTime?: string;
    renewTime?: string;
    leaseTransitions?: number;
  };
}

/** Duration of the lease in seconds: longer than the renew deadline of the leader, within which two renewals may fail. */
const LEASE_SECONDS = 30;

/** Formats a date as `metav1.MicroTime`, which has six decimals where a Date has three. */
export const microTime = (date: Date): string => date.toISOString().replace('Z', '000Z');

/** Whether `identity` may acquire the lease: it is free, its own, or has been observed unchanged for its whole duration. */
export function canAcquire(spec: LeaseObject['spec'], identity: string, unchangedMs: number): boolean {
  const holder = spec?.holderIdentity ?? '';
  return holder === '' || holder === identity || unchangedMs >= (spec?.leaseDurationSeconds ?? LEASE_SECONDS) * 1000;
}

/** The spec to write when `identity` acquires or renews the lease; `spec` is the current one. */
export function acquiredSpec(spec: LeaseObject['spec'], identity: string, now: Date): NonNullable<LeaseObject['spec']> {
  const ours = spec?.holderIdentity === identity;
  const transitions = spec?.leaseTransitions ?? 0;
  return {
    holderIdentity: identity,
    leaseDurationSeconds: LEASE_SECONDS,
    acquireTime: ours ? (spec?.acquireTime ?? microTime(now)) : microTime(now),
    renewTime: microTime(now),
    leaseTransitions: spec === undefined || ours ? transitions : transitions + 1,
  };
}
