/** A minimal cluster DNS: it resolves the names of Services. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { RealCluster } from './real-cluster.js';

/** The `clusterDNS` address in `node/kubelet.yaml`. */
const ADDRESS = '10.96.0.10';
const PORT = 53;
const TYPE_A = 1;
const HEADER_BYTES = 12;
const NAME_POINTER = 0xc00c;
const RESPONSE_FLAGS = 0x8580; // an authoritative response, recursion available
const NXDOMAIN = 3;
const TTL_SECONDS = 5;
const SERVICE = /^([^.]+)\.([^.]+)\.svc\.cluster\.local$/;

interface Question {
  name: string;
  type: number;
  /** The encoded question, which the response repeats. */
  bytes: Buffer;
}

export class DnsServer {
  private constructor(
    private readonly cluster: RealCluster,
    private readonly socket: Socket,
  ) {}

  static async start(cluster: RealCluster): Promise<DnsServer> {
    const { gateway, kubectl } = cluster;
    const socket = createSocket('udp4');
    const names = new DnsServer(cluster, socket);
    socket.on('message', (message, from) => void names.answer(message, from));
    socket.bind(PORT, gateway);
    await once(socket, 'listening');
    await kubectl.apply(kubeDnsObjects(gateway));
    return names;
  }

  async stop(): Promise<void> {
    await this.cluster.kubectl.do(['delete', 'service,endpointslice', 'kube-dns', '-n', 'kube-system']);
    this.socket.close();
    await once(this.socket, 'close');
  }

  private async answer(message: Buffer, { address, port }: { address: string; port: number }): Promise<void> {
    const question = parseQuestion(message);
    this.socket.send(encodeReply(message, question, await this.addressOf(question.name)), port, address);
  }

  private async addressOf(name: string): Promise<string | undefined> {
    const [, service, namespace] = SERVICE.exec(name) ?? [];
    if (service === undefined || namespace === undefined) return undefined;
    const found = await this.cluster.kubectl.getJson('service', service, '-n', namespace);
    const address = found?.spec?.['clusterIP'];
    return typeof address === 'string' ? address : undefined;
  }
}

const kubeDnsObjects = (gateway: string): object[] => [
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

function parseQuestion(message: Buffer): Question {
  const labels: string[] = [];
  let offset = HEADER_BYTES;
  for (let length = message[offset] ?? 0; length > 0; length = message[offset] ?? 0) {
    labels.push(message.toString('latin1', offset + 1, offset + 1 + length));
    offset += 1 + length;
  }
  const end = offset + 1 + 4;
  return {
    name: labels.join('.').toLowerCase(),
    type: message.readUInt16BE(offset + 1),
    bytes: message.subarray(HEADER_BYTES, end),
  };
}

function encodeReply(message: Buffer, { type, bytes }: Question, address: string | undefined): Buffer {
  const record = address !== undefined && type === TYPE_A ? encodeAddressRecord(address) : Buffer.alloc(0);
  const header = Buffer.alloc(HEADER_BYTES);
  message.copy(header, 0, 0, 2); // the ID of the query
  header.writeUInt16BE(RESPONSE_FLAGS | (address === undefined ? NXDOMAIN : 0), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(record.length > 0 ? 1 : 0, 6);
  return Buffer.concat([header, bytes, record]);
}

function encodeAddressRecord(address: string): Buffer {
  const fixed = Buffer.alloc(12);
  fixed.writeUInt16BE(NAME_POINTER, 0);
  fixed.writeUInt16BE(TYPE_A, 2);
  fixed.writeUInt16BE(1, 4); // class IN
  fixed.writeUInt32BE(TTL_SECONDS, 6);
  fixed.writeUInt16BE(4, 10);
  return Buffer.concat([fixed, Buffer.from(address.split('.').map(Number))]);
}
