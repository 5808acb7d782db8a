/** The RBAC role of the agent, compared with the requests of its whole life, including a reboot call without effect that is repeated. */
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { runAgent } from '../../agent/agent.js';
import { createKube } from '../../kube/client.js';
import { silentLog } from '../../program/log.js';
import { HttpsApiServer, type RecordedRequest } from '../fakes/https-api-server.js';
import { fakeClock } from '../fakes/clock.js';
import { bootIdOf, fakeHost, KAIROS_RELEASE } from '../fakes/host.js';
import { until } from '../kube/samples.js';
import { rebootRequested } from './builders.js';
import { SENTINEL } from './simulation.js';

interface Role {
  kind: string;
  rules?: { resources: string[]; verbs: string[] }[];
}

function granted(): string[] {
  const documents = parseAllDocuments(readFileSync('manifests/default/agent-rbac.yaml', 'utf8'));
  const rules = documents.map(document => document.toJS() as Role).flatMap(role => role.rules ?? []);
  return rules.flatMap(({ resources, verbs }) => resources.flatMap(name => verbs.map(verb => `${verb} ${name}`)));
}

/** The verb and resource, as in a role, of a request such as PATCH `/apis/operator.kairos.io/v1alpha1/nodeagents/n1/status`. */
function permissionOf({ method, path, query }: RecordedRequest): string {
  const [resource, name, subresource] = path.replace(/^\/(api|apis\/[^/]+)\/[^/]+\//, '').split('/');
  const collectionVerb = ['true', '1'].includes(query.get('watch') ?? '') ? 'watch' : 'list';
  const readVerb = name === undefined ? collectionVerb : 'get';
  return `${method === 'GET' ? readVerb : method.toLowerCase()} ${resource}${subresource === undefined ? '' : `/${subresource}`}`;
}

test('the agent is granted exactly the permissions that it uses', async () => {
  const server = await HttpsApiServer.start();
  const host = fakeHost({ '/etc/kairos-release': KAIROS_RELEASE, [SENTINEL]: bootIdOf(1) });
  const clock = fakeClock('2026-01-01T00:10:00.000Z');
  const kube = createKube(server.connection(), { userAgent: 'test' });
  const stop = new AbortController();
  host.set({ rebootsWhenAsked: false });
  server.store.create({ collection: 'v1/nodes' }, { metadata: { name: 'n1' } });
  const agents = { collection: 'operator.kairos.io/v1alpha1/nodeagents' };
  server.store.create(agents, { metadata: { name: 'n1' }, spec: { labels: true, operation: rebootRequested() } });
  const running = runAgent({ host, clock, log: silentLog, nodeName: 'n1', agentVersion: '1', kube }, stop.signal);
  try {
    await until(() => server.requestsTo('PATCH', '/nodes/').length === 1);
    await clock.advance(5 * 60_000);
    await until(() => host.rebootCalls.length === 2);
    const used = new Set(server.requests.map(permissionOf));
    expect([...used].toSorted()).toEqual(granted().toSorted());
  } finally {
    stop.abort();
    await running;
    kube.close();
    await server.stop();
  }
});
