/** One place for the Secrets by which images are pulled: every Pod and Job that the controller makes passes through here. */
import type { Kube, Resource } from '../../kube/kube.js';

interface PodSpec {
  imagePullSecrets?: readonly { name: string }[];
  [field: string]: unknown;
}
type Template = { spec: PodSpec };
type Body = { spec?: PodSpec & { template?: Template } };

/** Before those that the wish names, which stay. The kubelet passes over names that do not exist. */
function named(spec: PodSpec, names: readonly string[]): PodSpec {
  const own = spec.imagePullSecrets ?? [];
  const more = names.filter(name => !own.some(secret => secret.name === name)).map(name => ({ name }));
  return { ...spec, imagePullSecrets: [...more, ...own] };
}

function withSecrets({ group, kind }: Resource, body: object, names: readonly string[]): object {
  const { spec } = body as Body;
  if (group === '' && kind === 'Pod' && spec !== undefined) return { ...body, spec: named(spec, names) };
  if (group === 'batch' && kind === 'Job' && spec?.template !== undefined) {
    const { template } = spec;
    return { ...body, spec: { ...spec, template: { ...template, spec: named(template.spec, names) } } };
  }
  return body;
}

/** The same cluster, where new Pods name these Secrets, too. */
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
