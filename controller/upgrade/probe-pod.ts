/** A short Pod that lets an image say what system it holds. It sees nothing of the host. */
import { NODE_OP_UPGRADE } from '../../api/kinds.js';
import { CONTAINERS, LABELS } from '../../api/names.js';
import type { NodeOpUpgradeSpec } from '../../api/nodeop-upgrade.js';
import type { ObjectMeta } from '../../api/objects.js';
import { boundedName } from '../../api/resource-name.js';
import { controllerReference } from '../../kube/owner.js';

/** Where one probe runs. */
export interface ProbePlace {
  /** CPU architecture, in the kubelet's words. */
  arch: string;
  node: string;
  /** Reads the copy that the node has, because the registry cannot be asked. */
  copy?: true;
}

/** Only what `api/release-text.ts` reads: a termination message ends at 4096 bytes. */
const WANTED = [
  'VERSION',
  'SOFTWARE_VERSION',
  'SOFTWARE_VERSION_PREFIX',
  'ID',
  'NAME',
  'FAMILY',
  'FLAVOR',
  'FLAVOR_RELEASE',
  'VARIANT',
  'MODEL',
  'ARCH',
  'TRUSTED_BOOT',
  'FIPS',
];

/** Nothing but what every shell has built in: an image need not have grep. */
export const PROBE_SCRIPT = `found=
for file in /etc/kairos-release /etc/os-release; do
  [ -r "$file" ] || continue
  while IFS= read -r line || [ -n "$line" ]; do
    line="\${line#export }"
    case "$line" in
      ${WANTED.map(key => `KAIROS_${key}=*`).join('|')}) printf '%s\\n' "$line"; found=yes ;;
    esac
  done < "$file"
  [ -z "$found" ] || break
done > "\${TERMINATION_LOG:-/dev/termination-log}"
exit 0
`;

/** Reading a file takes no time; this ends a shell that hangs. */
const READ_SECONDS = 300;

/** What a namespace that enforces `restricted` asks for. Release files are for all to read, and the termination message for all to write. */
const UNPRIVILEGED = {
  runAsNonRoot: true,
  runAsUser: 65532,
  runAsGroup: 65532,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};

/** Another image or another node is another probe. */
export const probeName = (upgrade: ObjectMeta, image: string, { arch, node, copy }: ProbePlace): string =>
  boundedName(`${upgrade.name}-probe-${arch}`, upgrade.uid, image, node, ...(copy ? ['copy'] : []));

/** Named by its digest, or made on the machine itself, as podman and buildah name what no registry has. */
const isFixed = (image: string): boolean => image.includes('@sha256:') || image.startsWith('localhost/');

/** A tag may have moved since the node has pulled it: its copy would say that there is nothing to upgrade to. */
function pullPolicy(image: string, { copy }: ProbePlace): 'Never' | 'IfNotPresent' | 'Always' {
  if (copy) return 'Never';
  return isFixed(image) ? 'IfNotPresent' : 'Always';
}

export function probePod(upgrade: ObjectMeta, spec: NodeOpUpgradeSpec, place: ProbePlace) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: probeName(upgrade, spec.image, place),
      namespace: upgrade.namespace,
      labels: { [LABELS.probe]: place.arch },
      ownerReferences: [controllerReference(NODE_OP_UPGRADE, { metadata: upgrade })],
    },
    spec: {
      nodeName: place.node,
      restartPolicy: 'Never',
      activeDeadlineSeconds: spec.pullDeadlineSeconds + READ_SECONDS,
      terminationGracePeriodSeconds: 0,
      tolerations: [{ operator: 'Exists' }],
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      ...(spec.imagePullSecrets ? { imagePullSecrets: spec.imagePullSecrets } : {}),
      containers: [
        {
          name: CONTAINERS.probe,
          image: spec.image,
          imagePullPolicy: pullPolicy(spec.image, place),
          command: ['sh', '-c', PROBE_SCRIPT],
          /* An image for another CPU says so only on its standard error. */
          terminationMessagePolicy: 'FallbackToLogsOnError',
          securityContext: UNPRIVILEGED,
          resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { memory: '64Mi' } },
        },
      ],
    },
  };
}
