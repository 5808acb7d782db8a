/** A Job that upgrades one node like the operator does: privileged, with the node's /dev and /run mounted over those of the image. */

const SCRIPT = `set -e
mount --rbind /host/dev /dev
mount --rbind /host/run /run
kairos-agent upgrade --source dir:/ --exclude-path /etc/hostname --exclude-path /etc/hosts
`;

export function upgradeJob(name: string, node: string, image: string): object {
  const container = {
    name: 'upgrade',
    image,
    imagePullPolicy: 'Never',
    command: ['/bin/sh', '-c', SCRIPT],
    securityContext: { privileged: true },
    volumeMounts: [{ name: 'host', mountPath: '/host', mountPropagation: 'HostToContainer' }],
  };
  const pod = {
    nodeName: node,
    hostPID: true,
    restartPolicy: 'Never',
    containers: [container],
    volumes: [{ name: 'host', hostPath: { path: '/' } }],
  };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace: 'default' },
    spec: { backoffLimit: 0, template: { spec: pod } },
  };
}
