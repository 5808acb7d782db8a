/** Connections from a kubeconfig file, for programs that run outside a cluster. A separate file, so that the agent's bundle does not contain client-node. */
import type { RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import { type Connection, type Credentials, cachedForAMinute } from './connection.js';

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/**
 * The current context of the file at `path`, or of the file that kubectl would use. Supports tokens, client certificates and exec
 * plugins; throws when the context names no cluster.
 */
export async function fromKubeconfig(path?: string): Promise<Connection> {
  const config = new KubeConfig();
  if (path === undefined) config.loadFromDefault();
  else config.loadFromFile(path);
  const cluster = config.getCurrentCluster();
  if (!cluster) throw new Error(`${path ?? 'kubeconfig'}: the current context names no cluster`);
  const load = async (): Promise<Credentials> => {
    const options: RequestOptions = { headers: {} };
    await config.applyToHTTPSOptions(options);
    const headers = Object.entries(options.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
    return {
      ca: asPem(options.ca),
      cert: asPem(options.cert),
      key: asKey(options.key),
      servername: options.servername ?? cluster.tlsServerName,
      rejectUnauthorized: !cluster.skipTLSVerify,
      authorization: textOf(Object.fromEntries(headers).authorization) ?? basicAuthorization(options.auth ?? undefined),
    };
  };
  return { server: cluster.server.replace(/\/+$/, ''), credentials: cachedForAMinute(load) };
}

const asPem = (pem: RequestOptions['ca']): Credentials['ca'] => pem;
const asKey = (key: RequestOptions['key']): Credentials['key'] =>
  typeof key === 'string' || Buffer.isBuffer(key) ? key : undefined;
const basicAuthorization = (auth: string | undefined) =>
  auth === undefined ? undefined : `Basic ${Buffer.from(auth).toString('base64')}`;
