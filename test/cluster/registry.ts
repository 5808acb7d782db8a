/** A real registry on the nodes' network, which gives nothing to those it does not know; and a slow door to the same registry. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Daemon, mustLive, startDaemon } from './daemon.js';
import type { Image } from './images.js';
import { clusterKey } from './leftovers.js';
import { ensurePackages } from './packages.js';
import { stateFolder } from './places.js';
import { killRecorded } from './process-record.js';
import type { RealCluster } from './real-cluster.js';
import { type ImageChange, pushImage } from './registry-push.js';
import { waitFor } from './wait.js';

const PORT = 5000;
const SLOW_PORT = 5001;
const AUTHORIZATION = `Basic ${Buffer.from('story:open-sesame').toString('base64')}`;
/** The same account for the registry: bcrypt, which it insists on, at the lowest cost. */
const ACCOUNTS = 'story:$2b$04$abcdefghijklmnopqrstuuXcjcm5avyCiJoD2uS24xa2lb6fjMB3G\n';
/** Where containerd looks up how to reach a registry (`node/containerd.toml`). */
const HOSTS = '/usr/local/etc/containerd/certs.d';

/** The kubelet's runtime keeps a second name for each image, by its configuration; the contents stay as long as that does. */
const FORGET_IMAGES = `ctr -n k8s.io images ls |
  busybox awk -v place="$1" '
    index($1, place) == 1 { ours[$3] }
    { digest[$1] = $3 }
    END { for (name in digest) if (digest[name] in ours) print name }' |
  xargs -r ctr -n k8s.io images rm --sync`;

export class Registry {
  /** Makes its images unlike those of every other registry, so that no node has any of them. */
  private readonly brand = randomUUID();
  /** How long the slow door takes for each part of an image. */
  delaySeconds = 0;

  private constructor(
    private readonly gateway: string,
    private readonly daemon: Daemon,
    private readonly door: Server,
  ) {}

  /** Starts an empty registry for that cluster, known to all its nodes; none of them has an image of it. */
  static async start(cluster: RealCluster): Promise<Registry> {
    await ensurePackages(['docker-registry'], line => process.stderr.write(`${line}\n`));
    const { gateway } = cluster;
    const daemon = await serve(cluster);
    const door = createServer();
    const registry = new Registry(gateway, daemon, door);
    door.on('request', (asked, answer) => void registry.pass(asked, answer));
    door.listen(SLOW_PORT, gateway);
    await once(door, 'listening');
    await waitFor(
      () => {
        mustLive(daemon);
        return fetch(`http://${gateway}:${PORT}/v2/`).then(({ status }) => status === 401);
      },
      { what: 'the registry to ask who is there', seconds: 20 },
    );
    await Promise.all([...cluster.machines.keys()].map(node => registry.introduce(cluster, node)));
    return registry;
  }

  /** An image's name as a manifest spells it. */
  ref(name: string): string {
    return `${this.gateway}:${PORT}/${name}`;
  }

  /** The same image, through the slow door. */
  slowRef(name: string): string {
    return `${this.gateway}:${SLOW_PORT}/${name}`;
  }

  /** Puts an image made from that one under the name; a tag that exists is moved. Returns the digest. */
  async push(name: string, base: Image, change: ImageChange = {}): Promise<string> {
    const place = { url: `http://${this.gateway}:${PORT}`, authorization: AUTHORIZATION, name };
    return await pushImage(place, base, { ...change, environment: { IMAGE_NAME: name, REGISTRY: this.brand } });
  }

  /** The pull secret for both doors. */
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
    this.door.closeAllConnections();
    this.door.close();
    await once(this.door, 'close');
  }

  /** Tells a node how to reach both doors, and takes what an earlier registry of this address gave it. */
  private async introduce(cluster: RealCluster, node: string): Promise<void> {
    const machine = cluster.machine(node);
    for (const port of [PORT, SLOW_PORT]) {
      const place = `${this.gateway}:${port}`;
      const text = `server = "http://${place}"\n[host."http://${place}"]\n  capabilities = ["pull", "resolve"]\n`;
      await machine.writeFile(`${HOSTS}/${place}/hosts.toml`, text);
    }
    await machine.exec('sh', '-c', FORGET_IMAGES, 'sh', `${this.gateway}:`);
  }

  private async pass(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    if (asked.method === 'GET' && asked.url?.includes('/blobs/')) await sleep(this.delaySeconds * 1000);
    const { method, url: path, headers } = asked;
    const inner = request({ host: this.gateway, port: PORT, method, path, headers }, reply => {
      answer.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(answer);
    });
    inner.on('error', () => answer.destroy());
    asked.pipe(inner);
  }
}

async function serve({ gateway, index, runFolder }: RealCluster): Promise<Daemon> {
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
    // among the cluster's own: whatever ends that ends a forgotten registry, too
    records: stateFolder(clusterKey(index)),
  });
}
