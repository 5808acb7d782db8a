/** Creates a certificate authority and all certificates of a cluster with openssl. They are reused as long as names and addresses stay the same. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { shortHash } from './paths.js';
import { mustRun } from './run-command.js';

export interface PkiPlan {
  folder: string;
  /** URL of the API server for clients. */
  server: string;
  /** All addresses in the API server's certificate. */
  addresses: readonly string[];
  nodes: readonly { name: string; ip: string }[];
}

interface Certificate {
  name: string;
  subject: string;
  /** Subject alternative names of a serving certificate. */
  alternatives?: string;
}

const SERVER_NAMES = [
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
  'localhost',
];

/** Path of the user's kubeconfig. */
export const kubeconfigOf = (folder: string, user: string) => join(folder, `${user}.kubeconfig`);

export async function ensurePki(plan: PkiPlan): Promise<void> {
  const fingerprint = shortHash(JSON.stringify([plan.addresses, plan.nodes, certificates(plan)]));
  if (readText(join(plan.folder, 'fingerprint')) !== fingerprint) {
    rmSync(plan.folder, { recursive: true, force: true });
    mkdirSync(plan.folder, { recursive: true, mode: 0o700 });
    await createAuthority(plan.folder);
    await Promise.all(certificates(plan).map(certificate => issue(plan.folder, certificate)));
    writeFileSync(join(plan.folder, 'fingerprint'), fingerprint);
  }
  for (const { name } of certificates(plan)) writeKubeconfig(plan, name);
}

function certificates(plan: PkiPlan): Certificate[] {
  const serving = [...SERVER_NAMES.map(name => `DNS:${name}`), ...plan.addresses.map(ip => `IP:${ip}`)].join(',');
  return [
    { name: 'apiserver', subject: '/CN=kube-apiserver', alternatives: serving },
    { name: 'kubelet-client', subject: '/O=system:masters/CN=apiserver-kubelet-client' },
    { name: 'admin', subject: '/O=system:masters/CN=admin' },
    { name: 'controller-manager', subject: '/CN=system:kube-controller-manager' },
    { name: 'scheduler', subject: '/CN=system:kube-scheduler' },
    { name: 'kube-proxy', subject: '/CN=system:kube-proxy' },
    ...plan.nodes.map(({ name, ip }) => ({
      name: `node-${name}`,
      subject: `/O=system:nodes/CN=system:node:${name}`,
      alternatives: `DNS:${name},IP:${ip}`,
    })),
  ];
}

async function createAuthority(folder: string): Promise<void> {
  await Promise.all(['ca.key', 'sa.key'].map(file => createKey(folder, file)));
  const use = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'];
  await Promise.all([
    mustRun('openssl', ['ec', '-in', 'sa.key', '-pubout', '-out', 'sa.pub'], { cwd: folder }),
    mustRun(
      'openssl',
      [
        'req',
        '-x509',
        '-new',
        '-key',
        'ca.key',
        '-subj',
        '/CN=test-authority',
        '-days',
        '3650',
        '-out',
        'ca.crt',
        ...use.flatMap(line => ['-addext', line]),
      ],
      { cwd: folder },
    ),
  ]);
}

async function createKey(folder: string, file: string): Promise<void> {
  await mustRun('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', file], { cwd: folder });
}

async function issue(folder: string, { name, subject, alternatives }: Certificate): Promise<void> {
  await createKey(folder, `${name}.key`);
  const extensions = [
    'extendedKeyUsage=clientAuth,serverAuth',
    ...(alternatives === undefined ? [] : [`subjectAltName=${alternatives}`]),
  ];
  writeFileSync(join(folder, `${name}.ext`), `${extensions.join('\n')}\n`);
  const request = await mustRun('openssl', ['req', '-new', '-key', `${name}.key`, '-subj', subject], { cwd: folder });
  // The serial is a hash instead of a counter, because certificates are issued concurrently.
  await mustRun(
    'openssl',
    [
      'x509',
      '-req',
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-set_serial',
      `0x${shortHash(folder, name, String(Date.now()))}`,
      '-days',
      '3650',
      '-extfile',
      `${name}.ext`,
      '-out',
      `${name}.crt`,
    ],
    { cwd: folder, stdin: request },
  );
}

function writeKubeconfig(plan: PkiPlan, user: string): void {
  const inline = (file: string) => readFileSync(join(plan.folder, file)).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server: plan.server, 'certificate-authority-data': inline('ca.crt') } }],
    users: [
      {
        name: user,
        user: { 'client-certificate-data': inline(`${user}.crt`), 'client-key-data': inline(`${user}.key`) },
      },
    ],
    contexts: [{ name: 'test', context: { cluster: 'test', user } }],
    'current-context': 'test',
  };
  writeFileSync(kubeconfigOf(plan.folder, user), JSON.stringify(config, null, 1), { mode: 0o600 });
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
