/** The names of Services, for Pods that ask for them: as much of a cluster's DNS as a story needs. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { RealCluster } from './real-cluster.js';

/** Where the kubelets send Pods (`node/kubelet.yaml`). */
const ADDRESS = '10.96.0.10';
const PORT = 53;
const A = 1;
const HEADER_BYTES = 12;
const POINTER_TO_QUESTION = 0xc00c;
const RESPONSE = 0x8580; // with authority, recursion available
const NO_SUCH_NAME = 3;
const SECONDS_TO_LIVE = 5;
const SERVICE = /^([^.]+)\.([^.]+)\.svc\.cluster\.local$/;

interface Question {
  name: string;
  type: number;
  /** As it was asked, to be repeated in the answer. */
  bytes: Buffer;
}

export class ServiceNames {
  private constructor(
    private readonly cluster: RealCluster,
    private readonly socket: Socket,
  ) {}

  static async start(cluster: RealCluster): Promise<ServiceNames> {
    const { gateway, kubectl } = cluster;
    const socket = createSocket('udp4');
    const names = new ServiceNames(cluster, socket);
    socket.on('message', (message, from) => void names.answer(message, from));
    socket.bind(PORT, gateway);
    await once(socket, 'listening');
    await kubectl.apply(reachedAt(gateway));
    return names;
  }

  async stop(): Promise<void> {
    await this.cluster.kubectl.do(['delete', 'service,endpointslice', 'kube-dns', '-n', 'kube-system']);
    this.socket.close();
    await once(this.socket, 'close');
  }

  private async answer(message: Buffer, { address, port }: { address: string; port: number }): Promise<void> {
    const question = questionOf(message);
    this.socket.send(reply(message, question, await this.addressOf(question.name)), port, address);
  }

  private async addressOf(name: string): Promise<string | undefined> {
    const [, service, namespace] = SERVICE.exec(name) ?? [];
    if (service === undefined || namespace === undefined) return undefined;
    const found = await this.cluster.kubectl.getJson('service', service, '-n', namespace);
    const address = found?.spec?.['clusterIP'];
    return typeof address === 'string' ? address : undefined;
  }
}

const reachedAt = (gateway: string): object[] => [
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'kube-dns', namespace: 'kube-system' },
    spec: { clusterIP: ADDRESS, ports: [{ name: 'dns', port: PORT, protocol: 'UDP' }] },
  },
  {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'kube-dns', namespace: 'kube-system', labels: { 'kubernetes.io/service-name': 'kube-dns' } },
    addressType: 'IPv4',
    ports: [{ name: 'dns', port: PORT, protocol: 'UDP' }],
    endpoints: [{ addresses: [gateway], conditions: { ready: true } }],
  },
];

function questionOf(message: Buffer): Question {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const end = at + 1 + 4;
  return {
    name: labels.join('.').toLowerCase(),
    type: message.readUInt16BE(at + 1),
    bytes: message.subarray(HEADER_BYTES, end),
  };
}

function reply(message: Buffer, { type, bytes }: Question, address: string | undefined): Buffer {
  const record = address !== undefined && type === A ? recordOf(address) : Buffer.alloc(0);
  const header = Buffer.alloc(HEADER_BYTES);
  message.copy(header, 0, 0, 2); // which question it was
  header.writeUInt16BE(RESPONSE | (address === undefined ? NO_SUCH_NAME : 0), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(record.length > 0 ? 1 : 0, 6);
  return Buffer.concat([header, bytes, record]);
}

function recordOf(address: string): Buffer {
  const fixed = Buffer.alloc(12);
  fixed.writeUInt16BE(POINTER_TO_QUESTION, 0);
  fixed.writeUInt16BE(A, 2);
  fixed.writeUInt16BE(1, 4); // of the Internet
  fixed.writeUInt32BE(SECONDS_TO_LIVE, 6);
  fixed.writeUInt16BE(4, 10);
  return Buffer.concat([fixed, Buffer.from(address.split('.').map(Number))]);
}
