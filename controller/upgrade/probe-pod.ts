/** A short-lived Pod that reads from an image which system it contains. It has no access to the host. */
import { NODE_OP_UPGRADE } from '../../api/kinds.js';
import { CONTAINERS, LABELS } from '../../api/names.js';
import type { NodeOpUpgradeSpec } from '../../api/nodeop-upgrade.js';
import type { ObjectMeta } from '../../api/objects.js';
import { boundedName } from '../../api/resource-name.js';
import { controllerReference } from '../../kube/owner.js';
import { POD_ANNOTATIONS, POD_LABELS } from '../../api/pod-metadata.js';

/** Where one probe runs. */
export interface ProbePlace {
  /** CPU architecture as the kubelet reports it. */
  arch: string;
  node: string;
  /** Read the copy in the image store of the node instead of pulling the image. */
  copy?: true;
}

/** Limited to the keys that `api/release-text.ts` reads, because a termination message is cut at 4096 bytes. */
const RELEASE_KEYS = [
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

/**
 * Prints the release keys of one file, chosen by the rule of `releaseFileIndex` in `api/release-text.ts`. Uses only builtins of the shell,
 * because an image need not have grep.
 */
export const PROBE_SCRIPT = `newline='
'
bom="$(printf '\\357\\273\\277')"
chosen=
for file in /etc/kairos-release /etc/os-release; do
  [ -r "$file" ] || continue
  keys= identified=
  while read -r line || [ -n "$line" ]; do
    line="\${line#"$bom"}"
    case "$line" in export[[:space:]]*) line="\${line#export}"; line="\${line#"\${line%%[![:space:]]*}"}" ;; esac
    case "$line" in
      ${RELEASE_KEYS.map(key => `KAIROS_${key}=*[A-Za-z0-9]*`).join('|')}) keys="$keys$line$newline" ;;
      *) continue ;;
    esac
    case "$line" in KAIROS_ID=*|KAIROS_VERSION=*) identified=yes ;; esac
  done < "$file"
  [ -z "$identified" ] || { chosen="$keys"; break; }
  [ -n "$chosen" ] || chosen="$keys"
done
printf '%s' "$chosen" > "\${TERMINATION_LOG:-/dev/termination-log}"
exit 0
`;

/** Reading a file takes no time; this limit ends a shell that hangs. */
const READ_TIMEOUT_SECONDS = 300;

/** Meets the Pod Security Standard `restricted`. Any user can read release files and write the termination message. */
const UNPRIVILEGED = {
  runAsNonRoot: true,
  runAsUser: 65532,
  runAsGroup: 65532,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};

/** The name differs for every image and node, so that a probe of an earlier spec is not mistaken for a current one. */
export const probeName = (upgrade: ObjectMeta, image: string, { arch, node, copy }: ProbePlace): string =>
  boundedName(`${upgrade.name}-probe-${arch}`, upgrade.uid, image, node, ...(copy ? ['copy'] : []));

/** Named by its digest, or built locally: podman and buildah prefix such images with localhost/. */
const isFixed = (image: string): boolean => image.includes('@sha256:') || image.startsWith('localhost/');

/** A tag may have moved since the node pulled it, and the outdated copy would then report that there is nothing to upgrade. */
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
      labels: { ...POD_LABELS, [LABELS.probe]: place.arch },
      annotations: POD_ANNOTATIONS,
      ownerReferences: [controllerReference(NODE_OP_UPGRADE, { metadata: upgrade })],
    },
    spec: {
      nodeName: place.node,
      restartPolicy: 'Never',
      activeDeadlineSeconds: spec.pullDeadlineSeconds + READ_TIMEOUT_SECONDS,
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
          /* An image for another CPU architecture reports that on its standard error only. */
          terminationMessagePolicy: 'FallbackToLogsOnError',
          securityContext: UNPRIVILEGED,
        },
      ],
    },
  };
}
