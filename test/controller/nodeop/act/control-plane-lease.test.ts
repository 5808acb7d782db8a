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
  test('is made by the first that takes it', async () => {
    await lease.acquire(mine);
    expect(await holder()).toBe('uid-a-1/x');
  });

  test('is written once however often its holder asks', async () => {
    await lease.acquire(mine);
    await lease.acquire(mine);
    expect(kube.writes).toHaveLength(1);
  });

  test('is refused while the walk that holds it goes on', async () => {
    kube.seed(NODE_AGENT, nodeAgent({}, ledger()));
    await lease.acquire(other);
    await expect(lease.acquire(mine)).rejects.toThrow(ControlPlaneTurnTakenError);
    expect(await holder()).toBe('uid-op-1/n1');
  });

  test('is refused while a walk whose ledger was taken away is still to be taken up again', async () => {
    const nodeStatuses = { n1: { phase: 'Running' as const, startedAt: secondsAgo(9) } };
    kube.seed(NODE_OP, op({}, { status: { nodeStatuses } }));
    kube.seed(NODE_AGENT, nodeAgent());
    await lease.acquire(other);
    await expect(lease.acquire(mine)).rejects.toThrow(ControlPlaneTurnTakenError);
  });

  test('is taken from a walk that has ended, as the report says', async () => {
    const nodeStatuses = { n1: { phase: 'Failed' as const, startedAt: secondsAgo(9) } };
    kube.seed(NODE_OP, op({}, { status: { nodeStatuses } }));
    await lease.acquire(other);
    await lease.acquire(mine);
    expect(await holder()).toBe('uid-a-1/x');
  });

  test.each<[string, () => void]>([
    ['the node is free', () => kube.seed(NODE_AGENT, nodeAgent())],
    ['the node is another operation’s', () => kube.seed(NODE_AGENT, nodeAgent({}, ledger({ id: 'uid-op-2' })))],
    ['the node is gone', () => undefined],
  ])('is taken from a walk that is over: %s', async (_sentence, seed) => {
    seed();
    await lease.acquire(other);
    await lease.acquire(mine);
    expect(await holder()).toBe('uid-a-1/x');
  });

  test('is free for the next once it was given back', async () => {
    kube.seed(NODE_AGENT, nodeAgent({}, ledger()));
    await lease.acquire(other);
    await lease.release(other);
    await lease.acquire(mine);
    expect(await holder()).toBe('uid-a-1/x');
  });

  test('is given back by its holder alone', async () => {
    await lease.acquire(mine);
    await lease.release(other);
    expect(await holder()).toBe('uid-a-1/x');
  });

  test('whatever somebody wrote into it by hand is nobody', async () => {
    const body = { kind: 'Lease', metadata: AT, spec: { holderIdentity: 'me' } };
    await kube.create<LeaseObject>(LEASES, body, AT.namespace);
    await lease.acquire(mine);
    expect(await holder()).toBe('uid-a-1/x');
  });

  test('of two that take it at once, one gets it', async () => {
    await lease.acquire(other);
    await lease.release(other);
    const late: { code: number }[] = [];
    const third = { id: 'uid-b-1', node: 'y' };
    for (const { id, node } of [mine, third]) kube.seed(NODE_AGENT, nodeAgentOf(id, node));
    await Promise.all(
      [mine, third].map(each => lease.acquire(each).catch((error: { code: number }) => late.push(error))),
    );
    expect(late).toMatchObject([CONFLICT]);
  });
});

const nodeAgentOf = (id: string, name: string) => {
  const agent = nodeAgent({}, ledger({ id }));
  return { ...agent, metadata: { ...agent.metadata, name } };
};
