/** A registry on the nodes' network that requires credentials, and a slow proxy in front of the same registry. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Daemon, assertAlive, startDaemon } from './daemon.js';
import type { Image } from './images.js';
import { clusterKey } from './cleanup.js';
import { ensurePackages } from './packages.js';
import { stateFolder } from './paths.js';
import { killRecorded } from './process-record.js';
import type { RealCluster } from './real-cluster.js';
import { type ImageChange, pushImage } from './registry-push.js';
import { waitFor } from './wait.js';

const PORT = 5000;
const SLOW_PORT = 5001;
const AUTHORIZATION = `Basic ${Buffer.from('story:open-sesame').toString('base64')}`;
/** The same account as an htpasswd file. The registry requires bcrypt; this hash has the lowest cost. */
const ACCOUNTS = 'story:$2b$04$abcdefghijklmnopqrstuuXcjcm5avyCiJoD2uS24xa2lb6fjMB3G\n';
/** Folder of containerd's registry configuration (`node/containerd.toml`). */
const HOSTS_FOLDER = '/usr/local/etc/containerd/certs.d';

/** Removes all images of a registry by name and by digest, because containerd also names each image after its configuration and keeps the content as long as any name refers to it. */
const REMOVE_IMAGES = `ctr -n k8s.io images ls |
  busybox awk -v place="$1" '
    index($1, place) == 1 { ours[$3] }
    { digest[$1] = $3 }
    END { for (name in digest) if (digest[name] in ours) print name }' |
  xargs -r ctr -n k8s.io images rm --sync`;

export class Registry {
  /** Part of every image, so that no node already has an image of this registry. */
  private readonly uniqueId = randomUUID();
  /** Delay of the slow proxy for each blob. */
  delaySeconds = 0;

  private constructor(
    private readonly gateway: string,
    private readonly daemon: Daemon,
    private readonly slowProxy: Server,
  ) {}

  /** Starts an empty registry and configures all nodes to use it. No node has an image of it. */
  static async start(cluster: RealCluster): Promise<Registry> {
    await ensurePackages(['docker-registry'], line => process.stderr.write(`${line}\n`));
    const { gateway } = cluster;
    const daemon = await startRegistry(cluster);
    const slowProxy = createServer();
    const registry = new Registry(gateway, daemon, slowProxy);
    slowProxy.on('request', (incoming, outgoing) => void registry.forward(incoming, outgoing));
    slowProxy.listen(SLOW_PORT, gateway);
    await once(slowProxy, 'listening');
    await waitFor(
      () => {
        assertAlive(daemon);
        return fetch(`http://${gateway}:${PORT}/v2/`).then(({ status }) => status === 401);
      },
      { what: 'the registry to request credentials', seconds: 20 },
    );
    await Promise.all([...cluster.machines.keys()].map(node => registry.configureNode(cluster, node)));
    return registry;
  }

  /** Reference of an image in this registry. */
  ref(name: string): string {
    return `${this.gateway}:${PORT}/${name}`;
  }

  /** Reference of the same image through the slow proxy. */
  slowRef(name: string): string {
    return `${this.gateway}:${SLOW_PORT}/${name}`;
  }

  /** Pushes an image derived from `base`, moves the tag if it exists, and returns the digest. */
  async push(name: string, base: Image, change: ImageChange = {}): Promise<string> {
    const target = { url: `http://${this.gateway}:${PORT}`, authorization: AUTHORIZATION, name };
    return await pushImage(target, base, { ...change, environment: { IMAGE_NAME: name, REGISTRY: this.uniqueId } });
  }

  /** A pull secret for the registry and the slow proxy. */
  secret(name: string): object {
    const auths = Object.fromEntries(
      [PORT, SLOW_PORT].map(port => [`${this.gateway}:${port}`, { auth: AUTHORIZATION.replace('Basic ', '') }]),
    );
    return {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace: 'default' },
      type: 'kubernetes.io/dockerconfigjson',
      stringData: { '.dockerconfigjson': JSON.stringify({ auths }) },
    };
  }

  async stop(): Promise<void> {
    killRecorded(this.daemon.record);
    this.slowProxy.closeAllConnections();
    this.slowProxy.close();
    await once(this.slowProxy, 'close');
  }

  /** Configures registry and slow proxy on a node and removes the images of an earlier registry at this address. */
  private async configureNode(cluster: RealCluster, node: string): Promise<void> {
    const machine = cluster.machine(node);
    for (const port of [PORT, SLOW_PORT]) {
      const endpoint = `${this.gateway}:${port}`;
      const text = `server = "http://${endpoint}"\n[host."http://${endpoint}"]\n  capabilities = ["pull", "resolve"]\n`;
      await machine.writeFile(`${HOSTS_FOLDER}/${endpoint}/hosts.toml`, text);
    }
    await machine.exec('sh', '-c', REMOVE_IMAGES, 'sh', `${this.gateway}:`);
  }

  private async forward(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    if (incoming.method === 'GET' && incoming.url?.includes('/blobs/')) await sleep(this.delaySeconds * 1000);
    const { method, url: path, headers } = incoming;
    const proxied = request({ host: this.gateway, port: PORT, method, path, headers }, reply => {
      outgoing.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(outgoing);
    });
    proxied.on('error', () => outgoing.destroy());
    incoming.pipe(proxied);
  }
}

async function startRegistry({ gateway, index, runFolder }: RealCluster): Promise<Daemon> {
  const folder = join(runFolder, 'registry');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const accounts = join(folder, 'accounts');
  writeFileSync(accounts, ACCOUNTS);
  const config = join(folder, 'config.json');
  const settings = {
    version: 0.1,
    log: { level: 'warn' },
    storage: { filesystem: { rootdirectory: join(folder, 'store') } },
    http: { addr: `${gateway}:${PORT}` },
    auth: { htpasswd: { realm: 'stories', path: accounts } },
  };
  writeFileSync(config, JSON.stringify(settings));
  return await startDaemon({
    name: 'registry',
    command: 'docker-registry',
    args: ['serve', config],
    logFile: join(folder, 'registry.log'),
    // With the cluster's own records, so that stopping the cluster also stops a registry that was left running.
    records: stateFolder(clusterKey(index)),
  });
}
