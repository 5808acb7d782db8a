/** An OSArtifact with its cluster in memory: changes objects as users and the kubelet would, and reconciles until nothing changes. */
import { OS_ARTIFACT } from '../../../api/kinds.js';
import type { OSArtifact } from '../../../api/objects.js';
import { type ArtifactDeps, reconcileArtifact } from '../../../controller/artifact/controller.js';
import { ownerIndexKeys } from '../../../controller/cluster/owner-index.js';
import type { RenderTemplate } from '../../../controller/artifact/rendering/renderer.js';
import { RenderTurns } from '../../../controller/artifact/rendering/turns.js';
import { TemplateError } from '../../../controller/artifact/template/errors.js';
import { render } from '../../../controller/artifact/template/render.js';
import type { ContainerStatus, CachedPod } from '../../../controller/cluster/pod.js';
import type { CachedJob } from '../../../controller/cluster/job.js';
import type { Name, Stored } from '../../../kube/kube.js';
import type { Event } from '../../../kube/event-recorder.js';
import { CONFIG_MAPS, JOBS, PODS, SECRETS, VOLUME_CLAIMS } from '../../../kube/resources.js';
import { silentLog } from '../../../program/log.js';
import { fakeClock } from '../../fakes/clock.js';
import { FakeKube } from '../upgrade/fake-kube.js';
import { TOOLS } from './samples.js';

export const AT: Name = { namespace: 'default', name: 'os' };

/** Renders without a worker. */
export const renderHere: RenderTemplate = async ({ template, values }) => {
  try {
    return { is: 'text', text: render(template, values) };
  } catch (error) {
    if (error instanceof TemplateError) return { is: 'fault', message: error.message };
    throw error;
  }
};

export class ArtifactSetup {
  readonly kube = new FakeKube();
  readonly events: Event[] = [];
  readonly clock = fakeClock(new Date().toISOString());
  readonly deps: ArtifactDeps = {
    kube: this.kube,
    artifacts: this.kube.cacheOf<OSArtifact>(OS_ARTIFACT),
    pods: this.kube.cacheOf<CachedPod>(PODS, { owner: ownerIndexKeys }),
    exports: this.kube.cacheOf<CachedJob>(JOBS, { owner: ownerIndexKeys }),
    tools: TOOLS,
    render: job => this.render(job),
    turns: new RenderTurns(() => undefined),
    run: 'first',
    recorder: { record: event => void this.events.push(event) },
    log: silentLog,
    clock: this.clock,
  };
  /** In place of the worker. */
  render: RenderTemplate = renderHere;
  readonly #configMaps = this.kube.cacheOf<Stored & { data?: Record<string, string> }>(CONFIG_MAPS);
  readonly #claims = this.kube.cacheOf<Stored>(VOLUME_CLAIMS);

  /** Reconciles every object until a pass changes nothing. */
  async settle(): Promise<void> {
    for (let passes = 0, before = ''; passes < 20; passes += 1) {
      const now = String(this.kube.store.version);
      if (now === before) return;
      before = now;
      for (const { metadata } of this.deps.artifacts.list())
        await reconcileArtifact({ namespace: metadata.namespace, name: metadata.name }, this.deps);
    }
    throw new Error('reconciling never stops changing objects');
  }

  async create(spec: object, at: Name = AT): Promise<void> {
    await this.kube.create(OS_ARTIFACT, { metadata: { name: at.name }, spec }, at.namespace);
    await this.settle();
  }

  async change(spec: object): Promise<void> {
    const generation = (this.artifact()?.metadata.generation ?? 1) + 1;
    await this.kube.patch(OS_ARTIFACT, AT, { metadata: { generation }, spec });
    await this.settle();
  }

  async secret(name: string, data: Record<string, string>): Promise<void> {
    const coded = Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
    const body = { metadata: { name }, data: Object.fromEntries(coded) as Record<string, string> };
    await this.kube.delete(SECRETS, { namespace: 'default', name }).catch(() => undefined);
    await this.kube.create(SECRETS, body, 'default');
  }

  /** Sets the status of the builder Pod, as the kubelet would. */
  async setPodStatus(
    phase: string,
    containers: readonly (Partial<ContainerStatus> & { name: string })[] = [],
    more: Partial<CachedPod['status']> = {},
  ): Promise<void> {
    const [pod] = this.pods();
    const status = { phase, initContainerStatuses: containers, ...more };
    await this.kube.patch(
      PODS,
      { namespace: 'default', name: pod?.metadata.name ?? '' },
      { status },
      { subresource: 'status' },
    );
    await this.settle();
  }

  /** Deletes the builder Pod, which stays terminating until the returned function is called, as on a slow or absent node. */
  async deletePodSlowly(): Promise<() => Promise<void>> {
    const [pod] = this.pods();
    const at = { namespace: 'default', name: pod?.metadata.name ?? '' };
    await this.kube.patch(PODS, at, { metadata: { finalizers: ['test/stays'] } });
    await this.kube.delete(PODS, at);
    await this.settle();
    return async () => {
      await this.kube.patch(PODS, at, { metadata: { finalizers: null } });
      await this.settle();
    };
  }

  async setJobStatus(name: string, status: NonNullable<CachedJob['status']>): Promise<void> {
    await this.kube.patch(JOBS, { namespace: 'default', name }, { status }, { subresource: 'status' });
    await this.settle();
  }

  async setJobCondition(name: string, type: string, message?: string): Promise<void> {
    const status = { conditions: [{ type, status: 'True', ...(message === undefined ? {} : { message }) }] };
    await this.kube.patch(JOBS, { namespace: 'default', name }, { status }, { subresource: 'status' });
    await this.settle();
  }

  artifact = (): OSArtifact | undefined => this.deps.artifacts.get(AT);
  status = () => this.artifact()?.status;
  phaseAndMessage = () => [this.status()?.phase, this.status()?.message];
  pods = (): CachedPod[] => this.deps.pods.list();
  jobs = (): string[] => this.deps.exports.list().map(job => job.metadata.name);
  configMap = () => this.#configMaps.list()[0];
  claims = () => this.#claims.list();
  reasons = () => this.events.map(event => event.reason);
}
