/** What stands in a Lease, and who may take it. */
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

/** How long the others leave a silent leader alone: two renewals may fail before its own deadline. */
const LEASE_SECONDS = 30;

/** `metav1.MicroTime` wants six decimals; a Date has three. */
export const microTime = (date: Date): string => date.toISOString().replace('Z', '000Z');

/** May we take it? `unchangedMs`: for how long we have seen it as it is. */
export function canAcquire(spec: LeaseObject['spec'], identity: string, unchangedMs: number): boolean {
  const holder = spec?.holderIdentity ?? '';
  return holder === '' || holder === identity || unchangedMs >= (spec?.leaseDurationSeconds ?? LEASE_SECONDS) * 1000;
}

/** The lease as we would write it, over what is there. */
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
