/** Command line flags of the control plane's programs. */
import { join } from 'node:path';
import { kubeconfigOf } from './pki.js';

export interface ControlPlaneSettings {
  address: string;
  port: number;
  url: string;
  logs: string;
  pki: string;
  data: string;
  etcdPort: number;
  etcdPeerPort: number;
  controllerManagerPort: number;
  schedulerPort: number;
  serviceRange: string;
}

type ExtraFlags = readonly string[] | undefined;

export function etcdFlags({ data, etcdPort, etcdPeerPort }: ControlPlaneSettings): string[] {
  const client = `http://127.0.0.1:${etcdPort}`;
  const peer = `http://127.0.0.1:${etcdPeerPort}`;
  return [
    `--data-dir=${data}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--unsafe-no-fsync',
    '--log-level=warn',
  ];
}

export function apiServerFlags(settings: ControlPlaneSettings, extra: ExtraFlags): string[] {
  const file = (name: string) => join(settings.pki, name);
  return [
    `--etcd-servers=http://127.0.0.1:${settings.etcdPort}`,
    `--bind-address=${settings.address}`,
    `--advertise-address=${settings.address}`,
    `--secure-port=${settings.port}`,
    `--client-ca-file=${file('ca.crt')}`,
    `--tls-cert-file=${file('apiserver.crt')}`,
    `--tls-private-key-file=${file('apiserver.key')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${file('sa.pub')}`,
    `--service-account-signing-key-file=${file('sa.key')}`,
    `--service-cluster-ip-range=${settings.serviceRange}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--allow-privileged=true',
    `--kubelet-client-certificate=${file('kubelet-client.crt')}`,
    `--kubelet-client-key=${file('kubelet-client.key')}`,
    '--kubelet-preferred-address-types=InternalIP',
    // The API server calls webhooks by pod address: the host has routes to the pods, but does not translate Service addresses.
    '--enable-aggregator-routing=true',
    '--profiling=false',
    '--v=1',
    ...(extra ?? []),
  ];
}

export function controllerManagerFlags(settings: ControlPlaneSettings, extra: ExtraFlags): string[] {
  const file = (name: string) => join(settings.pki, name);
  return [
    ...clientFlags(settings, 'controller-manager'),
    `--secure-port=${settings.controllerManagerPort}`,
    `--service-account-private-key-file=${file('sa.key')}`,
    `--root-ca-file=${file('ca.crt')}`,
    '--use-service-account-credentials=true',
    `--cluster-signing-cert-file=${file('ca.crt')}`,
    `--cluster-signing-key-file=${file('ca.key')}`,
    // A dead node becomes NotReady after six seconds instead of forty.
    '--node-monitor-period=1s',
    '--node-monitor-grace-period=6s',
    '--v=1',
    ...(extra ?? []),
  ];
}

export function schedulerFlags(settings: ControlPlaneSettings, extra: ExtraFlags): string[] {
  return [...clientFlags(settings, 'scheduler'), `--secure-port=${settings.schedulerPort}`, '--v=1', ...(extra ?? [])];
}

function clientFlags(settings: ControlPlaneSettings, user: string): string[] {
  const kubeconfig = kubeconfigOf(settings.pki, user);
  const flags = ['kubeconfig', 'authentication-kubeconfig', 'authorization-kubeconfig'].map(
    flag => `--${flag}=${kubeconfig}`,
  );
  return [...flags, '--leader-elect=false', '--bind-address=127.0.0.1', '--profiling=false'];
}
