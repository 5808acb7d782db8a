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

const BACKDATED_MS = 2 * 24 * 3600 * 1000;

/** Path of the user's kubeconfig. */
export const kubeconfigOf = (folder: string, user: string) => join(folder, `${user}.kubeconfig`);

export async function ensurePki(plan: PkiPlan): Promise<void> {
  const fingerprint = shortHash(JSON.stringify([plan.addresses, plan.nodes, certificates(plan), BACKDATED_MS]));
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
  writeFileSync(join(folder, 'ca.ext'), 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n');
  await Promise.all([
    mustRun('openssl', ['ec', '-in', 'sa.key', '-pubout', '-out', 'sa.pub'], { cwd: folder }),
    sign(folder, { name: 'ca', subject: '/CN=test-authority' }, ['-selfsign']),
  ]);
}

/**
 * Valid long before now, so that a machine whose clock is hours behind trusts the cluster. Of the commands of openssl only `ca` can do that.
 * It keeps a record of what it has signed, here one for each certificate, because they are signed concurrently.
 */
async function sign(folder: string, { name, subject }: Certificate, flags: readonly string[]): Promise<void> {
  const settings = {
    database: `${name}.index`,
    new_certs_dir: '.',
    rand_serial: 'yes',
    default_md: 'sha256',
    policy: 'any',
    private_key: 'ca.key',
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
  const anyName = ['organizationName=optional', 'commonName=supplied'];
  const config = ['[ca]', 'default_ca=own', '[own]', ...lines, '[any]', ...anyName, ''].join('\n');
  writeFileSync(join(folder, `${name}.cnf`), config);
  writeFileSync(join(folder, settings.database), '');
  await mustRun('openssl', ['req', '-new', '-key', `${name}.key`, '-subj', subject, '-out', `${name}.csr`], {
    cwd: folder,
  });
  const files = ['-config', `${name}.cnf`, '-in', `${name}.csr`, '-extfile', `${name}.ext`, '-out', `${name}.crt`];
  const from = new Date(Date.now() - BACKDATED_MS).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  const validity = ['-startdate', from, '-days', '3650'];
  await mustRun('openssl', ['ca', '-batch', '-notext', ...files, ...validity, ...flags], { cwd: folder });
}

async function createKey(folder: string, file: string): Promise<void> {
  await mustRun('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', file], { cwd: folder });
}

async function issue(folder: string, certificate: Certificate): Promise<void> {
  const { name, alternatives } = certificate;
  await createKey(folder, `${name}.key`);
  const extensions = [
    'extendedKeyUsage=clientAuth,serverAuth',
    ...(alternatives === undefined ? [] : [`subjectAltName=${alternatives}`]),
  ];
  writeFileSync(join(folder, `${name}.ext`), `${extensions.join('\n')}\n`);
  await sign(folder, certificate, ['-cert', 'ca.crt']);
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
