import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { ControlPlane } from './control-plane.js';
import type { Json } from './kubectl.js';
import { MANY_NODES, SimNodes } from './sim-nodes.js';

jest.setTimeout(900_000); // kwok may have to be compiled first.

const COUNT = 50;
let plane: ControlPlane;
let nodes: SimNodes;

beforeAll(async () => {
  plane = await ControlPlane.start({ name: 'sim-test', controllers: true, ...MANY_NODES });
  nodes = await SimNodes.start(plane, { count: COUNT });
});

afterAll(async () => {
  await plane?.stop();
});

describe('simulated nodes', () => {
  test('are all Ready after the start', async () => {
    expect(await nodes.readyNames()).toHaveLength(COUNT);
  });

  test('become NotReady on a reboot, then Ready with the new boot id', async () => {
    const bootId = await nodes.reboot('sim-7');
    const ready = (object: object) => JSON.stringify(object).includes('"status":"True","type":"Ready"');
    await plane.kubectl.waitForObject(['node', 'sim-7'], node => !ready(node));
    const readyAgain = await plane.kubectl.waitForObject(['node', 'sim-7'], node => ready(node));
    expect(readyAgain.status?.['nodeInfo']).toMatchObject({ bootID: bootId, osImage: 'simulated' });
    /* The request is removed by a write of its own, after the status. */
    const isRequested = ({ metadata }: Json) => metadata?.annotations?.['simulation/reboot'] !== undefined;
    const settled = await plane.kubectl.waitForObject(['node', 'sim-7'], node => !isRequested(node));
    expect(settled.status?.['nodeInfo']).toMatchObject({ bootID: bootId });
  });
});
