/** Where the API server is and who we are, from what the kubelet puts into every container. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a request needs to be believed. */
export interface Credentials {
  ca?: string | Buffer | (string | Buffer)[];
  cert?: string | Buffer | (string | Buffer)[];
  key?: string | Buffer;
  servername?: string;
  rejectUnauthorized?: boolean;
  /** The header Authorization. */
  authorization?: string;
}

export interface Connection {
  /** `https://host:port`, maybe with a path in front of `/api`. */
  server: string;
  /** Asked before each call; the answer is kept for as long as it is known to be good. */
  credentials(): Promise<Credentials>;
}

export const SERVICE_ACCOUNT_DIR = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The kubelet renews a token long before its end; looking once a minute is what all clients do. */
const FRESH_MS = 60_000;

/** Keeps an answer for a minute. When a later look fails, the answer held goes on to be used: it may still be good. */
export function cachedForAMinute(
  look: () => Promise<Credentials>,
  monotonic: () => number = () => performance.now(),
): () => Promise<Credentials> {
  let held: { at: number; credentials: Credentials } | undefined;
  return async () => {
    if (held && monotonic() - held.at < FRESH_MS) return held.credentials;
    const known = held?.credentials;
    const credentials = known ? await look().catch(() => known) : await look();
    held = { at: monotonic(), credentials };
    return credentials;
  };
}

export interface InClusterOptions {
  env?: Record<string, string | undefined>;
  /** Folder with `token` and `ca.crt`; by default SERVICE_ACCOUNT_DIR of the environment, then the usual place. */
  dir?: string;
  monotonic?: () => number;
}

/** The connection of a container in a cluster, by its ServiceAccount. */
export function inCluster({ env = process.env, dir, monotonic }: InClusterOptions = {}): Connection {
  const host = env.KUBERNETES_SERVICE_HOST;
  const port = env.KUBERNETES_SERVICE_PORT ?? '443';
  if (!host) throw new Error('KUBERNETES_SERVICE_HOST is not set: this program expects to run in a cluster');
  const folder = dir ?? env.SERVICE_ACCOUNT_DIR ?? SERVICE_ACCOUNT_DIR;
  const look = async () => {
    const [token, ca] = await Promise.all([
      readFile(join(folder, 'token'), 'utf8'),
      readFile(join(folder, 'ca.crt'), 'utf8'),
    ]);
    return { ca, authorization: `Bearer ${token.trim()}` };
  };
  const name = host.includes(':') ? `[${host}]` : host;
  return { server: `https://${name}:${port}`, credentials: cachedForAMinute(look, monotonic) };
}
