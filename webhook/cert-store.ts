/** Stores the certificates that all replicas share, in one Secret of the operator's namespace. */
import { type CertificateBundle, trustBundle } from '../certs/bundle.js';
import type { CertStore, StoredBundle } from '../certs/rotate.js';
import { isAlreadyExists, isConflict, isForbidden, isNotFound } from '../kube/errors.js';
import type { Kube, Stored } from '../kube/kube.js';
import { SECRETS } from '../kube/resources.js';

interface Secret extends Stored {
  type?: string;
  data?: Record<string, string>;
}

/** The key names that other tools use too; `ca.crt` holds all trusted authorities, the newest first. */
const KEYS = { serving: 'tls.crt', servingKey: 'tls.key', authority: 'ca.crt', authorityKey: 'ca.key' } as const;

const encoded = (text: string) => Buffer.from(text).toString('base64');
const decoded = (text: string | undefined) => Buffer.from(text ?? '', 'base64').toString();

const dataOf = (bundle: CertificateBundle): Record<string, string> => ({
  [KEYS.serving]: encoded(bundle.serving.certificate),
  [KEYS.servingKey]: encoded(bundle.serving.key),
  [KEYS.authority]: encoded(trustBundle(bundle)),
  [KEYS.authorityKey]: encoded(bundle.authority.key),
});

/** Splits a PEM text into its certificates. Without a regular expression, which would need quadratic time on damaged text. */
const certificatesIn = (pem: string): string[] =>
  pem
    .split('-----BEGIN CERTIFICATE-----')
    .slice(1)
    .map(body => `-----BEGIN CERTIFICATE-----${body.trimEnd()}\n`);

/** Undefined when a part is missing; `certs/decide.ts` checks whether the parts are valid. */
function bundleOf(data: Record<string, string> = {}): CertificateBundle | undefined {
  const [authority, previousAuthority] = certificatesIn(decoded(data[KEYS.authority]));
  const parts = [data[KEYS.serving], data[KEYS.servingKey], data[KEYS.authorityKey]];
  if (authority === undefined || parts.some(part => part === undefined || part === '')) return undefined;
  return {
    authority: { certificate: authority, key: decoded(data[KEYS.authorityKey]) },
    previousAuthority,
    serving: { certificate: decoded(data[KEYS.serving]), key: decoded(data[KEYS.servingKey]) },
  };
}

/** Every write is conditional on the version that it replaces, so that one of two concurrent replicas wins and the other reads again. */
export class SecretStore implements CertStore {
  readonly #kube: Kube;
  readonly #at: { name: string; namespace: string };

  constructor(kube: Kube, at: { name: string; namespace: string }) {
    this.#kube = kube;
    this.#at = at;
  }

  async load(): Promise<StoredBundle> {
    try {
      const secret = await this.#kube.get<Secret>(SECRETS, this.#at);
      return { bundle: bundleOf(secret.data), version: secret.metadata.resourceVersion };
    } catch (error) {
      if (isNotFound(error)) return {};
      throw error;
    }
  }

  async save(bundle: CertificateBundle, insteadOf: string | undefined): Promise<boolean> {
    try {
      await this.#write(dataOf(bundle), insteadOf);
      return true;
    } catch (error) {
      if (isAlreadyExists(error) || isConflict(error) || isNotFound(error)) return false;
      throw error;
    }
  }

  #write(data: Record<string, string>, insteadOf: string | undefined): Promise<Secret> {
    const { name, namespace } = this.#at;
    if (insteadOf !== undefined)
      return this.#kube.patch<Secret>(SECRETS, this.#at, { metadata: { resourceVersion: insteadOf }, data });
    return this.#create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace },
      type: 'kubernetes.io/tls',
      data,
    });
  }

  /** Only outside of a cluster: the installed webhook may not create Secrets, and the manifests contain an empty one. */
  async #create(secret: object): Promise<Secret> {
    const { name, namespace } = this.#at;
    try {
      return await this.#kube.create<Secret>(SECRETS, secret, namespace);
    } catch (error) {
      if (!isForbidden(error)) throw error;
      const message = `Secret ${namespace}/${name} does not exist, and the webhook may not create it: apply the manifests again, which contain it empty`;
      throw new Error(message, { cause: error });
    }
  }
}
