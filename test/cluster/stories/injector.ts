/** A mutating admission webhook in the test process that adds containers to Pods, as service meshes and secret injectors do, whatever the Pods ask for. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { issueAll } from '../../../certs/issue.js';
import type { Kubectl } from '../kubectl.js';

/** A sidecar that runs beside the containers of the Pod, or a native one: an init container that is restarted as long as the Pod runs. */
export type InjectionKind = 'sidecar' | 'native';

interface Pod {
  metadata: { labels?: Record<string, string> };
  spec: { initContainers?: object[] };
}

const CONFIGURATION = 'test-injector';
const IMAGE = 'localhost/busybox:1';
/** By name before all containers of the operator, so that it is the first in the statuses. */
export const SIDECAR = 'a-proxy';

const sidecar = { name: SIDECAR, image: IMAGE, command: ['sh', '-c', 'trap exit TERM; while :; do sleep 0.5; done'] };
const init = { name: 'a-init', image: IMAGE, command: ['true'] };

export class Injector {
  /** How many Pods of each operation got containers, by its name; probe Pods of upgrades count as `probe`. */
  readonly injected = new Map<string, number>();

  private constructor(
    private readonly server: Server,
    private readonly kubectl: Kubectl,
  ) {}

  /** Adds containers to all Pods of operations that are created in the namespace from now on. */
  static async start(kubectl: Kubectl, namespace: string, kindOf: (operation: string) => InjectionKind) {
    const { authority, serving } = issueAll(['localhost'], new Date());
    const server = createServer({ cert: serving.certificate, key: serving.key });
    const injector = new Injector(server, kubectl);
    server.on('request', (request, response) => void injector.answer(request, response, kindOf));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await kubectl.apply(configuration(namespace, port, authority.certificate));
    return injector;
  }

  async stop(): Promise<void> {
    await this.kubectl.do(['delete', 'mutatingwebhookconfiguration', CONFIGURATION, '--ignore-not-found']);
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async answer(
    request: IncomingMessage,
    response: ServerResponse,
    kindOf: (operation: string) => InjectionKind,
  ): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { request: review } = JSON.parse(Buffer.concat(chunks).toString()) as {
      request: { uid: string; dryRun?: boolean; object: Pod };
    };
    const operation = review.object.metadata.labels?.['kairos.io/nodeop'] ?? 'probe';
    if (review.dryRun !== true) this.injected.set(operation, (this.injected.get(operation) ?? 0) + 1);
    const patch = Buffer.from(JSON.stringify(patchFor(review.object, kindOf(operation)))).toString('base64');
    const answer = { uid: review.uid, allowed: true, patchType: 'JSONPatch', patch };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: answer }));
  }
}

/** Injectors put their containers first. */
function patchFor({ spec }: Pod, kind: InjectionKind): object[] {
  const list = spec.initContainers === undefined ? [{ op: 'add', path: '/spec/initContainers', value: [] }] : [];
  const first = (where: string, value: object) => ({ op: 'add', path: `/spec/${where}/0`, value });
  const proxy =
    kind === 'native' ? first('initContainers', { ...sidecar, restartPolicy: 'Always' }) : first('containers', sidecar);
  return [...list, proxy, first('initContainers', init)];
}

const configuration = (namespace: string, port: number, authority: string): object => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingWebhookConfiguration',
  metadata: { name: CONFIGURATION },
  webhooks: [
    {
      name: 'injector.test.example',
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      timeoutSeconds: 5,
      failurePolicy: 'Fail',
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
      // The Pods of the operator, by a label with which they ask not to get any container.
      objectSelector: { matchExpressions: [{ key: 'sidecar.istio.io/inject', operator: 'Exists' }] },
      rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
      clientConfig: {
        url: `https://localhost:${port}/`,
        caBundle: Buffer.from(authority).toString('base64'),
      },
    },
  ],
});
