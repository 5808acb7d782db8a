/** The agent's role, compared with everything an agent ever asks for: its whole life, with a reboot that is not obeyed at once. */
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { runAgent } from '../../agent/agent.js';
import { createKube } from '../../kube/client.js';
import { silentLog } from '../../program/log.js';
import { ApiServer, type Seen } from '../fakes/api-server.js';
import { fakeClock } from '../fakes/clock.js';
import { bootIdOf, fakeHost, KAIROS_RELEASE } from '../fakes/host.js';
import { until } from '../kube/samples.js';
import { asked } from './builders.js';
import { SENTINEL } from './story.js';

interface Role {
  kind: string;
  rules?: { resources: string[]; verbs: string[] }[];
}

function granted(): string[] {
  const documents = parseAllDocuments(readFileSync('manifests/default/agent-rbac.yaml', 'utf8'));
  const rules = documents.map(document => document.toJS() as Role).flatMap(role => role.rules ?? []);
  return rules.flatMap(({ resources, verbs }) => resources.flatMap(name => verbs.map(verb => `${verb} ${name}`)));
}

/** `/apis/operator.kairos.io/v1alpha1/nodeagents/n1/status` and how it was asked for → the verb and resource of a role. */
function right({ method, path, query }: Seen): string {
  const [resource, name, below] = path.replace(/^\/(api|apis\/[^/]+)\/[^/]+\//, '').split('/');
  const listing = ['true', '1'].includes(query.get('watch') ?? '') ? 'watch' : 'list';
  const looking = name === undefined ? listing : 'get';
  return `${method === 'GET' ? looking : method.toLowerCase()} ${resource}${below === undefined ? '' : `/${below}`}`;
}

test('the agent may do exactly what it does', async () => {
  const server = await ApiServer.start();
  const host = fakeHost({ '/etc/kairos-release': KAIROS_RELEASE, [SENTINEL]: bootIdOf(1) });
  const clock = fakeClock('2026-01-01T00:10:00.000Z');
  const kube = createKube(server.connection(), { userAgent: 'test' });
  const stop = new AbortController();
  host.set({ obeys: false });
  server.store.create({ collection: 'v1/nodes' }, { metadata: { name: 'n1' } });
  const agents = { collection: 'operator.kairos.io/v1alpha1/nodeagents' };
  server.store.create(agents, { metadata: { name: 'n1' }, spec: { labels: true, operation: asked() } });
  const running = runAgent({ host, clock, log: silentLog, nodeName: 'n1', agentVersion: '1', kube }, stop.signal);
  try {
    await until(() => server.asked('PATCH', '/nodes/').length === 1);
    await clock.advance(5 * 60_000);
    await until(() => host.calls.length === 2);
    const used = new Set(server.seen.map(right));
    expect([...used].toSorted()).toEqual(granted().toSorted());
  } finally {
    stop.abort();
    await running;
    kube.close();
    await server.stop();
  }
});
