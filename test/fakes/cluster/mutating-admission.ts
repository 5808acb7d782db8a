/** What mutating webhooks and built-in plugins of a cluster change in new objects, each as one function of an object. */
import type { ContainerBehavior, ImageOptions } from './container-behavior.js';
import type { ContainerSpec, PodSpec } from './object-types.js';

interface Meta {
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

/** A Pod or a Job as it is sent to the API server. */
export interface NewObject {
  metadata: Meta & { name?: string; namespace?: string };
  spec?: object;
}

export type Mutate = (object: NewObject) => NewObject;

/** By plural, such as `pods` and `jobs`; applied to every created object, also to the Pods that controllers of the cluster create. */
export type MutatingAdmission = Readonly<Partial<Record<string, Mutate>>>;

/** A container that a webhook adds to Pods. */
export interface SidecarOptions extends Pick<ContainerBehavior, 'seconds' | 'exitCode'> {
  /** For example `istio-proxy`; it never ends unless `seconds` are given. */
  name: string;
  /** `initSidecar` is an init container that is restarted always. */
  as?: 'container' | 'initContainer' | 'initSidecar';
  /** Its image cannot be pulled. */
  pullError?: string;
  /** A Pod with this label or annotation is left alone; when absent, all Pods get the container. */
  optOut?: readonly [key: string, value: string];
}

const imageOf = ({ name }: SidecarOptions) => `registry.example/${name}:1`;

const hasKey = ({ metadata: { labels, annotations } }: NewObject, [key, value]: readonly [string, string]) =>
  labels?.[key] === value || annotations?.[key] === value;

const podSpec = (object: NewObject) => object.spec as PodSpec;

/** An init sidecar goes before all other init containers, as injectors place it. */
export const injectSidecar =
  (sidecar: SidecarOptions): Mutate =>
  object => {
    if (sidecar.optOut && hasKey(object, sidecar.optOut)) return object;
    const { containers, initContainers = [] } = podSpec(object);
    const { name, as = 'container' } = sidecar;
    const added: ContainerSpec = { name, image: imageOf(sidecar) };
    const init = as === 'initSidecar' ? { ...added, restartPolicy: 'Always' } : added;
    const more =
      as === 'container' ? { containers: [...containers, added] } : { initContainers: [init, ...initContainers] };
    return { ...object, spec: { ...podSpec(object), ...more } };
  };

/** The images of the registry that the sidecars need. */
export const sidecarImages = (sidecars: readonly SidecarOptions[]): Record<string, ImageOptions> =>
  Object.fromEntries(sidecars.map(each => [imageOf(each), { error: each.pullError, backsOff: true }]));

export const addMetadata =
  ({ labels = {}, annotations = {} }: Meta): Mutate =>
  object => {
    const { metadata } = object;
    return {
      ...object,
      metadata: {
        ...metadata,
        labels: { ...metadata.labels, ...labels },
        annotations: { ...metadata.annotations, ...annotations },
      },
    };
  };

const onContainers =
  (change: (container: ContainerSpec) => ContainerSpec): Mutate =>
  object => {
    const { containers, initContainers } = podSpec(object);
    const spec = {
      ...podSpec(object),
      containers: containers.map(change),
      initContainers: initContainers?.map(change),
    };
    return { ...object, spec };
  };

/** For example to a mirror registry. */
export const rewriteImages = (rewrite: (image: string) => string): Mutate =>
  onContainers(container => ({ ...container, image: rewrite(container.image) }));

/** As the defaults of a LimitRange: only what the container does not limit itself. */
export const defaultLimits = (limits: Record<string, string>): Mutate =>
  onContainers(container => ({
    ...container,
    resources: { ...container.resources, limits: { ...limits, ...container.resources?.limits } },
  }));

/** A policy for Jobs. */
export const setTtl =
  (ttlSecondsAfterFinished: number): Mutate =>
  object => ({ ...object, spec: { ...object.spec, ttlSecondsAfterFinished } });

/** One after the other, as the API server calls webhooks. */
export const inTurn =
  (...mutates: readonly Mutate[]): Mutate =>
  object =>
    mutates.reduce((each, mutate) => mutate(each), object);
