/** The kwok stages of simulated nodes: they become Ready, and an annotation makes them reboot. Pods use the stages built into kwok. */

/** Requests a reboot. The value is the boot id after the reboot; the annotation is removed when the node is Ready again. */
export const REBOOT_ANNOTATION = 'simulation/reboot';

const KEY = {
  reboot: `.metadata.annotations["${REBOOT_ANNOTATION}"]`,
  ready: '.status.conditions.[] | select( .type == "Ready" ) | .status',
};

const rebooting = { key: KEY.reboot, operator: 'Exists' };
const notRebooting = { key: KEY.reboot, operator: 'DoesNotExist' };
const ready = { key: KEY.ready, operator: 'In', values: ['True'] };
const down = { key: KEY.ready, operator: 'NotIn', values: ['True'] };

const healthy = `
conditions:
{{ range NodeConditions }}
- { type: {{ .type | Quote }}, status: {{ .status | Quote }}, reason: {{ .reason | Quote }}, message: {{ .message | Quote }},
    lastHeartbeatTime: {{ Now | Quote }}, lastTransitionTime: {{ Now | Quote }} }
{{ end }}`;

const addresses = `
phase: Running
addresses:
- { type: InternalIP, address: {{ NodeIP | Quote }} }
- { type: Hostname, address: {{ NodeName | Quote }} }`;

const stopped = `
conditions:
- { type: Ready, status: "False", reason: Rebooting, message: "the node is rebooting",
    lastHeartbeatTime: {{ Now | Quote }}, lastTransitionTime: {{ Now | Quote }} }`;

const bootId = `
nodeInfo:
  bootID: {{ index .metadata.annotations "${REBOOT_ANNOTATION}" | Quote }}`;

const forget = `
annotations:
  ${REBOOT_ANNOTATION}: null`;

const onStatus = (template: string) => ({ subresource: 'status', root: 'status', type: 'strategic', template });

/** All stages of nodes, because kwok disables its built-in stages as soon as one is configured. `downMs` is the duration of a reboot. */
export function nodeStages(downMs: number): object[] {
  return [
    stage('node-starts', [down, notRebooting], [onStatus(healthy + addresses)]),
    stage('node-goes-down', [ready, rebooting], [onStatus(stopped)]),
    stage(
      'node-comes-back',
      [down, rebooting],
      [onStatus(healthy + bootId), { root: 'metadata', type: 'merge', template: forget }],
      downMs,
    ),
  ];
}

function stage(name: string, matchExpressions: object[], patches: object[], delayMs = 0): object {
  return {
    apiVersion: 'kwok.x-k8s.io/v1alpha1',
    kind: 'Stage',
    metadata: { name },
    spec: {
      resourceRef: { apiGroup: 'v1', kind: 'Node' },
      selector: { matchExpressions },
      ...(delayMs > 0 ? { delay: { durationMilliseconds: delayMs } } : {}),
      next: { patches },
    },
  };
}
