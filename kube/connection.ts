/** The address of the API server and the credentials, as the kubelet provides them to every container. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** TLS settings and the Authorization header of a request. */
export interface Credentials {
  ca?: string | Buffer | (string | Buffer)[];
  cert?: string | Buffer | (string | Buffer)[];
  key?: string | Buffer;
  servername?: string;
  rejectUnauthorized?: boolean;
  /** Value of the Authorization header. */
  authorization?: string;
}

export interface Connection {
  /** `https://host:port`, optionally followed by a path prefix before `/api`. */
  server: string;
  /** Called before each request; implementations cache their result. */
  credentials(): Promise<Credentials>;
}

export const SERVICE_ACCOUNT_DIR = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The kubelet renews a token long before it expires, so reading it once a minute is enough; client-go does the same. */
const CACHE_MS = 60_000;

/** Caches credentials for a minute. When a later load fails, the cached ones remain in use, because they may still be valid. */
export function cachedForAMinute(
  load: () => Promise<Credentials>,
  monotonic: () => number = () => performance.now(),
): () => Promise<Credentials> {
  let cached: { at: number; credentials: Credentials } | undefined;
  return async () => {
    if (cached && monotonic() - cached.at < CACHE_MS) return cached.credentials;
    const known = cached?.credentials;
    const credentials = known ? await load().catch(() => known) : await load();
    cached = { at: monotonic(), credentials };
    return credentials;
  };
}

export interface InClusterOptions {
  env?: Record<string, string | undefined>;
  /** Directory with `token` and `ca.crt`; defaults to the environment variable SERVICE_ACCOUNT_DIR, then to the standard mount path. */
  dir?: string;
  monotonic?: () => number;
}

/** The connection of a container in a cluster, authenticated by its ServiceAccount. Throws outside a cluster. */
export function inCluster({ env = process.env, dir, monotonic }: InClusterOptions = {}): Connection {
  const host = env.KUBERNETES_SERVICE_HOST;
  const port = env.KUBERNETES_SERVICE_PORT ?? '443';
  if (!host) throw new Error('KUBERNETES_SERVICE_HOST is not set: this program expects to run in a cluster');
  const directory = dir ?? env.SERVICE_ACCOUNT_DIR ?? SERVICE_ACCOUNT_DIR;
  const load = async () => {
    const [token, ca] = await Promise.all([
      readFile(join(directory, 'token'), 'utf8'),
      readFile(join(directory, 'ca.crt'), 'utf8'),
    ]);
    return { ca, authorization: `Bearer ${token.trim()}` };
  };
  const name = host.includes(':') ? `[${host}]` : host;
  return { server: `https://${name}:${port}`, credentials: cachedForAMinute(load, monotonic) };
}
