import { beforeEach, describe, expect, test } from '@jest/globals';
import { NODE_AGENT, NODE_OP } from '../../../../api/kinds.js';
import {
  ControlPlaneLease,
  ControlPlaneTurnTakenError,
} from '../../../../controller/nodeop/act/control-plane-lease.js';
import type { LeaseObject } from '../../../../kube/lease.js';
import { LEASES } from '../../../../kube/resources.js';
import { fakeClock } from '../../../fakes/clock.js';
import { FakeKube } from '../../../fakes/kube.js';
import { ledger, nodeAgent, op, secondsAgo } from '../../../builders.js';

const AT = { namespace: 'operator-system', name: 'operator-control-plane' };
const CONFLICT = { code: 409, reason: 'Conflict' };
const mine = { id: 'uid-a-1', node: 'x' };
const other = { id: 'uid-op-1', node: 'n1' };

let kube: FakeKube;
let lease: ControlPlaneLease;

beforeEach(() => {
  kube = new FakeKube();
  lease = new ControlPlaneLease({ kube, clock: fakeClock(), ownNamespace: AT.namespace });
});

const holder = async () => (await kube.get<LeaseObject>(LEASES, AT)).spec?.holderIdentity;

describe('The Lease of the control planes', () => {
  test('is created when it is acquired for the first time', async () => {
    await lease.acquire(mine);
    expect(await holder()).toBe('uid-a-1/x');
  });

  test('is written once when its holder acquires it again', async () => {
    await lease.acquire(mine);
    await lease.acquire(mine);
    expect(kube.writes).toHaveLength(1);
  });

  test('is refused while the ledger of its holder exists', async () => {
    kube.seed(NODE_AGENT, nodeAgent({}, ledger()));
    await lease.acquire(other);
    await expect(lease.acquire(mine)).rejects.toThrow(ControlPlaneTurnTakenError);
    expect(await holder()).toBe('uid-op-1/n1');
  });

  test('is refused while its holder has lost the ledger but is not finished', async () => {
    const nodeStatuses = { n1: { phase: 'Running' as const, startedAt: secondsAgo(9) } };
    kube.seed(NODE_OP, op({}, { status: { nodeStatuses } }));
    kube.seed(NODE_AGENT, nodeAgent());
    await lease.acquire(other);
    await expect(lease.acquire(mine)).rejects.toThrow(ControlPlaneTurnTakenError);
  });

  test('passes on from a holder whose status is final', async () => {
    const nodeStatuses = { n1: { phase: 'Failed' as const, startedAt: secondsAgo(9) } };
    kube.seed(NODE_OP, op({}, { status: { nodeStatuses } }));
    await lease.acquire(other);
    await lease.acquire(mine);
    expect(await holder()).toBe('uid-a-1/x');
  });

  test.each<[string, () => void]>([
    ['is not claimed', () => kube.seed(NODE_AGENT, nodeAgent())],
    ['is claimed by another operation', () => kube.seed(NODE_AGENT, nodeAgent({}, ledger({ id: 'uid-op-2' })))],
    ['does not exist', () => undefined],
  ])('passes on from a holder whose node %s', async (_sentence, seed) => {
    seed();
    await lease.acquire(other);
    await lease.acquire(mine);
    expect(await holder()).toBe('uid-a-1/x');
  });

  test('can be acquired after its release', async () => {
    kube.seed(NODE_AGENT, nodeAgent({}, ledger()));
    await lease.acquire(other);
    await lease.release(other);
    await lease.acquire(mine);
    expect(await holder()).toBe('uid-a-1/x');
  });

  test('is released by its holder only', async () => {
    await lease.acquire(mine);
    await lease.release(other);
    expect(await holder()).toBe('uid-a-1/x');
  });

  test('is free when a user wrote an unknown holder into it', async () => {
    const body = { kind: 'Lease', metadata: AT, spec: { holderIdentity: 'me' } };
    await kube.create<LeaseObject>(LEASES, body, AT.namespace);
    await lease.acquire(mine);
    expect(await holder()).toBe('uid-a-1/x');
  });

  test('goes to one of two that acquire it at once', async () => {
    await lease.acquire(other);
    await lease.release(other);
    const errors: { code: number }[] = [];
    const third = { id: 'uid-b-1', node: 'y' };
    for (const { id, node } of [mine, third]) kube.seed(NODE_AGENT, nodeAgentOf(id, node));
    await Promise.all(
      [mine, third].map(each => lease.acquire(each).catch((error: { code: number }) => errors.push(error))),
    );
    expect(errors).toMatchObject([CONFLICT]);
  });
});

const nodeAgentOf = (id: string, name: string) => {
  const agent = nodeAgent({}, ledger({ id }));
  return { ...agent, metadata: { ...agent.metadata, name } };
};
