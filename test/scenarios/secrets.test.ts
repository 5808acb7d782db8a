/** Operations read no Secret: markers in every Secret and ConfigMap, and in the command, and a search in every write of every program. */
import { expect, test } from '@jest/globals';
import { NODE_OP } from '../../api/kinds.js';
import { CONFIG_MAPS, SECRETS } from '../../kube/resources.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import { nodeOp } from '../fakes/cluster/object-builders.js';
import * as lifecycle from './lifecycle-scenarios.js';
import { runScenario } from './run-scenario.js';
import * as scenarios from './scenarios.js';

const MARKER = 'mArKeR7';
const CODED = Buffer.from(`${MARKER}${MARKER}`).toString('base64').slice(0, 16);

function plant({ api }: FakeCluster): void {
  for (const namespace of ['default', 'operator-system'])
    for (const [resource, data] of [
      [SECRETS, { password: Buffer.from(MARKER.repeat(3)).toString('base64') }],
      [CONFIG_MAPS, { password: MARKER, [MARKER]: 'x' }],
    ] as const)
      api.put(resource, { metadata: { namespace, name: 'planted' }, data });
}

const rows = Object.values({ ...scenarios, ...lifecycle }).map(scenario => [scenario.name, scenario] as const);

test.each(rows)('"%s" writes nothing of a Secret or ConfigMap', async (_sentence, scenario) => {
  const { mutations } = await runScenario(scenario, {
    program: '',
    mutation: 0,
    fault: () => ({ kind: 'error' }) as never,
    description: '',
    prepare: plant,
  });
  const text = JSON.stringify(mutations);
  expect(mutations.length).toBeGreaterThan(0);
  for (const secret of [MARKER, CODED]) expect(text).not.toContain(secret);
});

test.each([
  ['succeeds', {}, 'Completed'],
  ['fails', { behavior: () => ({ exitCode: 3, message: 'no' }) }, 'Failed'],
])('the words of a command that %s are in its Job only, not in a status or an Event', async (_, cluster, phase) => {
  const scenario = {
    name: 'command',
    cluster: { nodes: [{ name: 'n1' }], ...cluster },
    run: (running: FakeCluster) =>
      void running.apply(NODE_OP, nodeOp('op', { command: ['sh', '-c', `login ${MARKER}`] })),
    expected: {},
  };
  const { mutations, cluster: after } = await runScenario(scenario);
  expect(after.nodeOp('op')?.status?.phase).toBe(phase);
  const elsewhere = mutations.filter(({ name }) => !/ (jobs|pods)\b/.test(name));
  expect(elsewhere.length).toBeGreaterThan(0);
  expect(JSON.stringify(elsewhere)).not.toContain(MARKER);
});
