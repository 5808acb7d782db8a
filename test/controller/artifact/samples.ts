/** The documented OSArtifacts, and the objects that are created for them. */
import { OSArtifactSpec } from '../../../api/os-artifact.js';
import type { ObjectMeta } from '../../../api/objects.js';
import { buildOf } from '../../../controller/artifact/build/build.js';
import { builderPod } from '../../../controller/artifact/build/builder-pod.js';
import type { Tools } from '../../../controller/artifact/build/container.js';
import { exporterJob } from '../../../controller/artifact/build/exporter-job.js';
import { volumeClaim, configMap, renderedSecret } from '../../../controller/artifact/build/volume-objects.js';
import { dockerfileOf } from '../../../controller/artifact/inputs/dockerfile.js';
import { render } from '../../../controller/artifact/template/render.js';
import { hasConfig, hasCredentials, needsSecret } from '../../../controller/artifact/build/volumes.js';

export const TOOLS: Tools = {
  tool: 'registry.test/tool:1',
  buildah: 'registry.test/buildah:1',
  kairosInit: 'registry.test/kairos-init:1',
  deadlineSeconds: 3600,
  scratchGiB: 64,
  unconfinedBuildah: false,
};

export const META: ObjectMeta = { name: 'os', namespace: 'default', uid: 'uid-1', resourceVersion: '1', generation: 1 };

const DOCKERFILE = 'FROM {{ .BaseImage }}\nRUN echo "Version: {{ .Version }}" > /etc/build-info\n';

/** Every object that is created for a spec. */
export function manifestsOf(given: object, meta: ObjectMeta = META): object[] {
  const build = buildOf(meta.name, OSArtifactSpec.parse(given));
  const { source } = build;
  const template = source.is === 'dockerfile' ? source.template : undefined;
  const own = template && render(DOCKERFILE, { Version: '1', ...template.values });
  const dockerfile = source.is === 'dockerfile' ? dockerfileOf(source, TOOLS.kairosInit, own) : undefined;
  const credentials = hasCredentials(build) ? '{"auths":{}}' : undefined;
  const claimOrNone = volumeClaim(meta, build);
  return [
    ...(hasConfig(build) ? [configMap(meta, build)] : []),
    ...(needsSecret(build) ? [renderedSecret(meta, { dockerfile, credentials })] : []),
    ...(claimOrNone ? [claimOrNone] : []),
    builderPod(meta, build, { id: 'build-1', attempt: 1 }, TOOLS),
    ...build.exporters.map((_, index) => exporterJob(meta, build, { id: 'build-1', index })),
  ];
}

export const IMAGE = 'quay.io/kairos/opensuse:leap-15.6-core-amd64-generic-v3.6.0';

const exporter = {
  template: {
    spec: {
      restartPolicy: 'Never',
      containers: [
        {
          name: 'copy',
          image: 'debian:latest',
          command: ['bash', '-c'],
          args: ['cp /artifacts/*.iso /output/ || true\n'],
          volumeMounts: [
            { name: 'artifacts', readOnly: true, mountPath: '/artifacts' },
            { name: 'output', mountPath: '/output' },
          ],
        },
      ],
      volumes: [{ name: 'artifacts', persistentVolumeClaim: { claimName: 'artifact-pvc' } }, { name: 'output' }],
    },
  },
};

const UPLOAD = `NGINX_URL="\${NGINX_URL:-http://kairos-operator-nginx}"
for f in /artifacts/*; do
  [ -f "$f" ] || continue
  base=$(basename "$f")
  curl -fsSL -T "$f" "$NGINX_URL/$base" || exit 1
done
`;

const uploader = {
  template: {
    spec: {
      restartPolicy: 'Never',
      containers: [
        {
          name: 'upload-to-nginx',
          image: 'curlimages/curl',
          command: ['sh', '-ec'],
          args: [UPLOAD],
          env: [{ name: 'NGINX_URL', value: 'http://kairos-operator-nginx' }],
          volumeMounts: [{ name: 'artifacts', readOnly: true, mountPath: '/artifacts' }],
        },
      ],
    },
  },
};

/** The documented examples in the flat shape, by topic. */
export const DOCUMENTED: Record<string, object> = {
  'iso-and-exporter': { imageName: IMAGE, iso: true, exporters: [exporter] },
  'cloud-image': { imageName: IMAGE, cloudImage: true, diskSize: '10G' },
  azure: { imageName: IMAGE, azureImage: true },
  gce: { imageName: IMAGE, gceImage: true },
  netboot: { imageName: IMAGE, iso: true, netboot: true, netbootURL: 'http://example.com/netboot' },
  dockerfile: {
    baseImageDockerfile: { name: 'my-dockerfile', key: 'Dockerfile' },
    dockerfileTemplateValuesFrom: { name: 'dockerfile-values' },
    dockerfileTemplateValues: { BaseImage: 'opensuse/leap:15.6', Version: '2.0.0' },
    iso: true,
  },
  'dockerfile-alone': { baseImageDockerfile: { name: 'my-dockerfile-secret', key: 'Dockerfile' }, iso: true },
  'dockerfile-values-inline': {
    baseImageDockerfile: { name: 'my-dockerfile', key: 'Dockerfile' },
    dockerfileTemplateValues: { BaseImage: 'opensuse/leap:15.6', ExtraPackages: 'vim curl', Version: '1.0.0' },
    iso: true,
  },
  'dockerfile-values-secret': {
    baseImageDockerfile: { name: 'my-dockerfile', key: 'Dockerfile' },
    dockerfileTemplateValuesFrom: { name: 'dockerfile-values' },
    iso: true,
  },
  'upload-to-nginx': { imageName: IMAGE, iso: true, exporters: [uploader] },
  vanilla: { baseImageName: 'opensuse/leap:15.6', iso: true },
  advanced: {
    imageName: IMAGE,
    iso: true,
    cloudImage: true,
    azureImage: true,
    cloudConfigRef: { name: 'cloud-config-secret', key: 'cloud-config.yaml' },
    grubConfig: 'set timeout=5\nset default=0\n',
    osRelease: 'opensuse-leap-15.6',
    kairosRelease: 'v3.6.0',
    bundles: ['docker', 'k3s'],
    imagePullSecrets: [{ name: 'private-registry-secret' }],
    volume: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '50Gi' } } },
  },
};

const requests = (cpu: string) => ({ requests: { cpu } });

/** The nested shape with every field except `image.ref`, which excludes others. */
export const NESTED_ALL = {
  image: {
    buildOptions: {
      version: 'v1.2.3',
      baseImage: 'ubuntu:24.04',
      model: 'rpi4',
      trustedBoot: true,
      kubernetesDistro: 'k3s',
      kubernetesVersion: 'v1.34.1',
      fips: true,
      kairosInitImage: 'quay.io/kairos/kairos-init:v9',
    },
    ociSpec: {
      ref: { name: 'my-part', key: 'part' },
      templateValues: { BaseImage: 'from-template', Version: 'from-values' },
      templateValuesFrom: { name: 'more-values' },
      buildContextVolume: 'context',
    },
    buildImage: { registry: 'registry.example:5000', repository: 'os/edge', tag: 'v7' },
    push: true,
    imageCredentialsSecretRef: { name: 'registry-login', key: 'config' },
    buildEnv: [{ name: 'HTTP_PROXY', value: 'http://proxy.example' }],
    caCertificatesVolume: 'authorities',
    pullInsecureRegistry: true,
    pushInsecureRegistry: true,
  },
  artifacts: {
    arch: 'arm64',
    iso: true,
    diskSize: '20480',
    cloudImage: true,
    azureImage: true,
    gceImage: true,
    netboot: true,
    netbootURL: 'http://boot.example',
    cloudConfigRef: { name: 'cloud', key: 'user-data' },
    grubConfig: 'set timeout=9\n',
    bundles: ['quay.io/kairos/packages:one', 'quay.io/kairos/packages:two'],
    osRelease: 'ID=mine\nVERSION=7\n',
    kairosRelease: 'v7.7.7',
    overlayISOVolume: 'media-files',
    overlayRootfsVolume: 'root-files',
    uki: { iso: true, container: true, efi: true, keysVolume: 'keys' },
    volume: 'workshop',
  },
  imagePullSecrets: [{ name: 'pull-one' }],
  exporters: [{ ...exporter, backoffLimit: 4, completions: 2 }, exporter],
  nodeSelector: { disk: 'fast' },
  tolerations: [{ key: 'builders', operator: 'Exists' }],
  affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } },
  podLabels: { team: 'edge' },
  podAnnotations: { note: 'a build' },
  resources: {
    iso: requests('1'),
    cloudImage: requests('2'),
    azureImage: requests('3'),
    gceImage: requests('4'),
    netboot: requests('5'),
    uki: requests('6'),
    pod: requests('7'),
  },
  volumes: [
    ...['context', 'authorities', 'media-files', 'root-files', 'keys'].map(name => ({
      name,
      secret: { secretName: name },
    })),
    { name: 'workshop', persistentVolumeClaim: { claimName: 'workshop' } },
  ],
  importers: [{ name: 'fetch', image: 'curlimages/curl', volumeMounts: [{ name: 'context', mountPath: '/context' }] }],
  nameOverride: {
    iso: 'medium',
    cloudImage: 'raw-disk',
    azureImage: 'azure-disk',
    gceImage: 'gce-disk',
    netboot: 'net',
    uki: 'signed',
  },
};
