/** IMAGE_PULL_SECRETS: adds the operator's own pull secrets to every Pod and Job that the controller creates. */
import type { Kube, Resource } from '../../kube/kube.js';

interface PodSpec {
  imagePullSecrets?: readonly { name: string }[];
  [field: string]: unknown;
}
type Template = { spec: PodSpec };
type Body = { spec?: PodSpec & { template?: Template } };

/** Puts them before the secrets that the spec names, which stay. The kubelet ignores names that do not exist. */
function withNames(spec: PodSpec, names: readonly string[]): PodSpec {
  const own = spec.imagePullSecrets ?? [];
  const added = names.filter(name => !own.some(secret => secret.name === name)).map(name => ({ name }));
  return { ...spec, imagePullSecrets: [...added, ...own] };
}

function withSecrets({ group, kind }: Resource, body: object, names: readonly string[]): object {
  const { spec } = body as Body;
  if (group === '' && kind === 'Pod' && spec !== undefined) return { ...body, spec: withNames(spec, names) };
  if (group === 'batch' && kind === 'Job' && spec?.template !== undefined) {
    const { template } = spec;
    return { ...body, spec: { ...spec, template: { ...template, spec: withNames(template.spec, names) } } };
  }
  return body;
}

/** Wraps a client so that the Pods and Jobs created through it name these secrets. */
export function withPullSecrets(kube: Kube, names: readonly string[]): Kube {
  if (names.length === 0) return kube;
  return {
    get: (...args) => kube.get(...args),
    list: (...args) => kube.list(...args),
    watch: (...args) => kube.watch(...args),
    create: (resource, body, namespace) => kube.create(resource, withSecrets(resource, body, names), namespace),
    dryRun: (resource, body, namespace) => kube.dryRun(resource, withSecrets(resource, body, names), namespace),
    patch: (...args) => kube.patch(...args),
    replace: (...args) => kube.replace(...args),
    delete: (...args) => kube.delete(...args),
    evict: (...args) => kube.evict(...args),
  };
}
