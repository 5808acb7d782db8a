/** The documented examples, with images of the test registry and the Secret to pull them. */
import { parse, parseAllDocuments } from 'yaml';
import { LOGIN } from './artifact-setup.js';

export interface ImageNames {
  /** A Kairos image. */
  ready: string;
  /** A Linux distribution that is not a Kairos system. */
  plain: string;
  bundle: string;
  /** Image with a shell, curl and the other programs that exporters run. */
  tools: string;
}

/** A Dockerfile template. */
export const DOCKERFILE = `FROM {{ .BaseImage }}
RUN zypper install -y {{ .ExtraPackages }}
RUN echo "Version: {{ .Version }}" > /etc/build-info
`;

const head = (name: string) => `---
apiVersion: build.kairos.io/v1alpha2
kind: OSArtifact
metadata:
  name: ${name}
  namespace: default
spec:
  imagePullSecrets:
    - name: ${LOGIN}`;

/** The documented exporter that uploads every file. */
const uploading = (tools: string) => `
  exporters:
    - template:
        spec:
          restartPolicy: Never
          containers:
            - name: upload-to-nginx
              image: ${tools}
              command: ["sh", "-ec"]
              args:
                - |
                  NGINX_URL="\${NGINX_URL:-http://kairos-operator-nginx}"
                  for f in /artifacts/*; do
                    [ -f "$f" ] || continue
                    base=$(basename "$f")
                    echo "Uploading $base to $NGINX_URL/$base"
                    curl -fsSL -T "$f" "$NGINX_URL/$base" || exit 1
                  done
                  echo "Upload done"
              securityContext: # the user of curlimages/curl
                runAsUser: 100
              env:
                - name: NGINX_URL
                  value: "http://kairos-operator-nginx"
              volumeMounts:
                - name: artifacts
                  readOnly: true
                  mountPath: /artifacts`;

const copying = (tools: string) => `
  exporters:
    - template:
        spec:
          restartPolicy: Never
          containers:
            - name: copy
              image: ${tools}
              command: ["bash", "-c"]
              args:
                - |
                  # Copy the built ISO to a location of your choice
                  cp /artifacts/*.iso /output/ || true
              volumeMounts:
                - name: artifacts
                  readOnly: true
                  mountPath: /artifacts
                - name: output
                  mountPath: /output
          volumes:
            - name: artifacts
              persistentVolumeClaim:
                claimName: artifact-pvc
            - name: output
              hostPath:
                path: /var/built/output
                type: DirectoryOrCreate`;

const sources = ({ ready, plain, tools }: ImageNames) => `${head('my-kairos-iso')}
  imageName: ${ready}
  iso: true${uploading(tools)}
${head('copied-iso')}
  imageName: ${ready}
  iso: true${copying(tools)}
${head('vanilla')}
  baseImageName: ${plain}
  iso: true
${head('custom-inline')}
  baseImageDockerfile:
    name: my-dockerfile
    key: Dockerfile
  dockerfileTemplateValues:
    BaseImage: "${plain}"
    ExtraPackages: "vim curl"
    Version: "1.0.0"
  iso: true
${head('custom-build')}
  baseImageDockerfile:
    name: my-dockerfile
    key: Dockerfile
  dockerfileTemplateValuesFrom:
    name: dockerfile-values
  dockerfileTemplateValues:
    Version: "2.0.0" # overrides the value from the Secret
  iso: true`;

const formats = ({ ready }: ImageNames) => `${head('cloud-image')}
  imageName: ${ready}
  cloudImage: true
  diskSize: "1G" # 10G in the documentation; smaller here to save time
${head('azure-image')}
  imageName: ${ready}
  azureImage: true
${head('gce-image')}
  imageName: ${ready}
  gceImage: true
${head('netboot')}
  imageName: ${ready}
  iso: true
  netboot: true
  netbootURL: "http://example.com/netboot"`;

const advanced = ({ ready, bundle }: ImageNames) => `${head('advanced-build')}
  imageName: ${ready}
  # Build multiple formats
  iso: true
  cloudImage: true
  azureImage: true
  # Custom cloud config
  cloudConfigRef:
    name: cloud-config-secret
    key: cloud-config.yaml
  # Custom GRUB configuration
  grubConfig: |
    set timeout=5
    set default=0
  # OS release information
  osRelease: "opensuse-leap-15.6"
  kairosRelease: "v3.6.0"
  # Additional bundles to include
  bundles:
    - ${bundle}
  # Custom volume configuration
  volume:
    accessModes:
      - ReadWriteOnce
    resources:
      requests:
        storage: 50Gi`;

interface Example {
  metadata: { name: string };
  spec: object;
}

/** The files that each example builds, without the archive of the image. */
export const FILES: Readonly<Record<string, readonly string[]>> = {
  'my-kairos-iso': ['my-kairos-iso.iso', 'my-kairos-iso.iso.sha256'],
  'copied-iso': ['copied-iso.iso', 'copied-iso.iso.sha256'],
  vanilla: ['vanilla.iso', 'vanilla.iso.sha256'],
  'custom-inline': ['custom-inline.iso', 'custom-inline.iso.sha256'],
  'custom-build': ['custom-build.iso', 'custom-build.iso.sha256'],
  'cloud-image': ['cloud-image.raw'],
  'azure-image': ['azure-image.vhd'],
  'gce-image': ['gce-image.gce.tar.gz'],
  netboot: [
    'netboot.iso',
    'netboot.iso.sha256',
    'netboot.squashfs',
    'netboot-kernel',
    'netboot-initrd',
    'netboot.ipxe',
  ],
  'advanced-build': ['advanced-build.iso', 'advanced-build.iso.sha256', 'advanced-build.raw', 'advanced-build.vhd'],
};

export const documented = (imageNames: ImageNames): Example[] =>
  parseAllDocuments([sources(imageNames), formats(imageNames), advanced(imageNames)].join('\n'))
    .map(document => document.toJS() as Example | null)
    .filter(example => example !== null);

/** The exporter that uploads every file. */
export function uploader(tools: string): object {
  const { exporters } = parse(uploading(tools)) as { exporters: [object] };
  return exporters[0];
}
