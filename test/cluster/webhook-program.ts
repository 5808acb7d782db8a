/** The bundled webhook with a control plane: replicas with the permissions of its ServiceAccount, behind one address. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { balancer, type Balancer } from '../webhook/load.js';
import type { ControlPlane } from './control-plane.js';
import { type Daemon, freePort, assertAlive, startDaemon } from './daemon.js';
import { OPERATOR_NAMESPACE } from './install.js';
import { repository, stateFolder } from './paths.js';
import { waitFor } from './wait.js';

interface Configuration {
  kind: string;
  webhooks?: { clientConfig: { url?: string; service?: { path: string } } }[];
}

export interface Replica {
  port: number;
  daemon: Daemon;
}

/** The text of a published manifest. */
const published = (name: string) => readFileSync(join(repository, 'manifests/default', name), 'utf8');

export class WebhookProgram {
  private constructor(
    private readonly plane: ControlPlane,
    private readonly service: Balancer,
  ) {}

  /** Installs the published CRDs, namespace and RBAC. No replica is running yet. */
  static async install(plane: ControlPlane): Promise<WebhookProgram> {
    const { kubectl } = plane;
    await kubectl.do(['apply', '-k', join(repository, 'manifests/crd')]);
    await kubectl.do(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']);
    for (const name of ['namespace.yaml', 'webhook-rbac.yaml']) await kubectl.apply(published(name));
    return new WebhookProgram(plane, await balancer([await freePort()]));
  }

  /**
   * Installs the webhook configurations, with a URL in place of the Service, because this control plane has no Services. `apply` keeps
   * the fields of other writers, `replace` removes them.
   */
  async configure(how: 'apply' | 'replace' = 'apply'): Promise<void> {
    const command = how === 'apply' ? ['apply'] : ['replace', '--force'];
    const documents = parseAllDocuments(published('webhook-configurations.yaml'));
    for (const document of documents) {
      const configuration = document.toJS() as Configuration;
      for (const webhook of configuration.webhooks ?? []) {
        const path = webhook.clientConfig.service?.path ?? '';
        webhook.clientConfig = { url: `https://localhost:${this.service.port}${path}` };
      }
      await this.plane.kubectl.do([...command, '-f', '-'], { stdin: stringify(configuration) });
    }
  }

  /** Starts a replica, waits until it is ready, and adds it to the endpoints. */
  async start(name: string): Promise<Replica> {
    const { plane } = this;
    const [port, healthPort] = [await freePort(), await freePort()];
    const flags = {
      kubeconfig: await this.kubeconfig(),
      'webhook-port': port,
      'health-port': healthPort,
      'pod-namespace': OPERATOR_NAMESPACE,
      'service-name': 'operator-webhook',
      'secret-name': 'operator-webhook-certificate',
      'validating-configuration': 'operator-webhook',
      'mutating-configuration': 'operator-webhook',
      'extra-names': 'localhost',
    };
    const daemon = await startDaemon({
      name,
      command: process.execPath,
      args: [
        join(repository, 'dist/webhook.cjs'),
        ...Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`),
      ],
      logFile: join(plane.pki, '../log', `${name}.log`),
      records: stateFolder(plane.name),
    });
    const ready = async () => {
      assertAlive(daemon);
      const answer = await fetch(`http://127.0.0.1:${healthPort}/readyz`);
      if (!answer.ok) throw new Error(await answer.text());
      return true;
    };
    await waitFor(ready, { what: `${name} to be ready`, seconds: 60 });
    this.setEndpoints([...this.endpoints, port]);
    return { port, daemon };
  }

  private endpoints: number[] = [];

  /** Sets the ports to which new connections are forwarded. */
  setEndpoints(ports: number[]): void {
    this.endpoints = ports;
    if (ports.length > 0) this.service.ports = ports;
  }

  async stop(): Promise<void> {
    await this.service.stop();
  }

  private async kubeconfig(): Promise<string> {
    const { plane } = this;
    const file = join(plane.pki, 'webhook.kubeconfig');
    const token = await plane.kubectl.do(['create', 'token', 'operator-webhook', '-n', OPERATOR_NAMESPACE]);
    const cluster = { server: plane.url, 'certificate-authority': join(plane.pki, 'ca.crt') };
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      clusters: [{ name: 'c', cluster }],
      users: [{ name: 'u', user: { token: token.trim() } }],
    };
    writeFileSync(file, stringify(config));
    return file;
  }
}
