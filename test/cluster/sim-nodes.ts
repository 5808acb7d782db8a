/** Large numbers of nodes, simulated by kwok on a control plane with controllers. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ensureBinaries } from './binaries.js';
import type { ControlPlane } from './control-plane.js';
import { assertAlive, startDaemon } from './daemon.js';
import { stateFolder } from './paths.js';
import { nodeStages, REBOOT_ANNOTATION } from './sim-stages.js';
import { waitFor } from './wait.js';

export interface SimNodesOptions {
  count: number;
  /** Prefix of the node names, followed by a number from 1; "sim-" by default. */
  prefix?: string;
  labels?: Record<string, string>;
  /** Duration of a simulated reboot. */
  rebootMs?: number;
}

/** Flags for a control plane with many nodes. The defaults would throttle requests and mark slow nodes as NotReady. */
export const MANY_NODES = {
  apiServer: ['--max-requests-inflight=2000', '--max-mutating-requests-inflight=1000'],
  controllerManager: ['--kube-api-qps=300', '--kube-api-burst=600', '--node-monitor-grace-period=60s'],
  scheduler: ['--kube-api-qps=300', '--kube-api-burst=600'],
};

const CONCURRENCY = 16;

export class SimNodes {
  private readonly known: ReadonlySet<string>;

  private constructor(
    private readonly plane: ControlPlane,
    readonly names: readonly string[],
  ) {
    this.known = new Set(names);
  }

  /** Starts kwok, creates the nodes and waits until all are Ready. Stopping the control plane stops kwok too. */
  static async start(plane: ControlPlane, options: SimNodesOptions): Promise<SimNodes> {
    const { kwok } = await ensureBinaries(['kwok']);
    const stages = join(plane.pki, '../stages.yaml');
    writeFileSync(
      stages,
      nodeStages(options.rebootMs ?? 3000)
        .map(stage => JSON.stringify(stage))
        .join('\n---\n'),
    );
    const daemon = await startDaemon({
      name: 'kwok',
      command: kwok,
      args: [
        `--kubeconfig=${plane.kubeconfig}`,
        `--config=${stages}`,
        '--manage-all-nodes=false',
        '--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake',
        '--cidr=10.200.0.0/16',
        '--node-ip=10.255.0.1',
        '--node-lease-duration-seconds=40',
      ],
      logFile: join(plane.pki, '../log/kwok.log'),
      records: stateFolder(plane.name),
    });
    const names = Array.from({ length: options.count }, (_, position) => `${options.prefix ?? 'sim-'}${position + 1}`);
    await createAll(
      plane,
      names.map(name => simNode(name, options.labels ?? {})),
    );
    const sim = new SimNodes(plane, names);
    const allReady = async () => {
      assertAlive(daemon);
      return (await sim.readyNames()).length === names.length;
    };
    await waitFor(allReady, { what: `${names.length} simulated nodes to be Ready`, seconds: 180, everyMs: 500 });
    return sim;
  }

  /** Starts a reboot of the node and returns the new boot id without waiting. */
  async reboot(name: string): Promise<string> {
    const bootId = randomUUID();
    await this.plane.kubectl.do(['annotate', 'node', name, `${REBOOT_ANNOTATION}=${bootId}`, '--overwrite']);
    return bootId;
  }

  async readyNames(): Promise<string[]> {
    const table = await this.plane.kubectl.do(['get', 'nodes', '--no-headers']);
    const rows = table
      .trim()
      .split('\n')
      .map(line => line.split(/\s+/));
    return rows
      .filter(([name, status]) => this.known.has(name ?? '') && status?.split(',')[0] === 'Ready')
      .map(([name]) => name ?? '');
  }
}

function simNode(name: string, labels: Record<string, string>): object {
  const resources = { cpu: '8', memory: '32Gi', pods: '110' };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      annotations: { 'kwok.x-k8s.io/node': 'fake', 'node.alpha.kubernetes.io/ttl': '0' },
      labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/arch': 'amd64', 'kubernetes.io/os': 'linux', ...labels },
    },
    status: {
      nodeInfo: {
        bootID: randomUUID(),
        osImage: 'simulated',
        architecture: 'amd64',
        operatingSystem: 'linux',
        kubeletVersion: 'v1.34.4',
      },
      capacity: resources,
      allocatable: resources,
    },
  };
}

/** Sends several requests at a time over persistent connections, because kubectl would take minutes for a thousand nodes. */
async function createAll(plane: ControlPlane, nodes: readonly object[]): Promise<void> {
  const file = (name: string) => readFileSync(join(plane.pki, name));
  const agent = new Agent({
    keepAlive: true,
    maxSockets: CONCURRENCY,
    ca: file('ca.crt'),
    cert: file('admin.crt'),
    key: file('admin.key'),
  });
  const queue = [...nodes];
  const worker = async () => {
    for (let node = queue.pop(); node !== undefined; node = queue.pop())
      await post(agent, `${plane.url}/api/v1/nodes`, node);
  };
  try {
    await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  } finally {
    agent.destroy();
  }
}

async function post(agent: Agent, url: string, body: object): Promise<void> {
  const call = request(url, { agent, method: 'POST', headers: { 'content-type': 'application/json' } });
  call.end(JSON.stringify(body));
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  const responseText = await text(response);
  if (response.statusCode !== 201)
    throw new Error(`The API server rejected a node with ${response.statusCode}: ${responseText.slice(0, 300)}`);
}
