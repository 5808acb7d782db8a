/** The command lines of the control plane's programs. */
import { join } from 'node:path';
import { kubeconfigOf } from './pki.js';

export interface PlaneFacts {
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

type More = readonly string[] | undefined;

export function etcdFlags({ data, etcdPort, etcdPeerPort }: PlaneFacts): string[] {
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

export function apiServerFlags(facts: PlaneFacts, more: More): string[] {
  const file = (name: string) => join(facts.pki, name);
  return [
    `--etcd-servers=http://127.0.0.1:${facts.etcdPort}`,
    `--bind-address=${facts.address}`,
    `--advertise-address=${facts.address}`,
    `--secure-port=${facts.port}`,
    `--client-ca-file=${file('ca.crt')}`,
    `--tls-cert-file=${file('apiserver.crt')}`,
    `--tls-private-key-file=${file('apiserver.key')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${file('sa.pub')}`,
    `--service-account-signing-key-file=${file('sa.key')}`,
    `--service-cluster-ip-range=${facts.serviceRange}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--allow-privileged=true',
    `--kubelet-client-certificate=${file('kubelet-client.crt')}`,
    `--kubelet-client-key=${file('kubelet-client.key')}`,
    '--kubelet-preferred-address-types=InternalIP',
    // webhooks are called by pod address: the host has routes to the pods, but nothing that translates Service addresses
    '--enable-aggregator-routing=true',
    '--profiling=false',
    '--v=1',
    ...(more ?? []),
  ];
}

export function controllerManagerFlags(facts: PlaneFacts, more: More): string[] {
  const file = (name: string) => join(facts.pki, name);
  return [
    ...asUser(facts, 'controller-manager'),
    `--secure-port=${facts.controllerManagerPort}`,
    `--service-account-private-key-file=${file('sa.key')}`,
    `--root-ca-file=${file('ca.crt')}`,
    '--use-service-account-credentials=true',
    `--cluster-signing-cert-file=${file('ca.crt')}`,
    `--cluster-signing-key-file=${file('ca.key')}`,
    // a dead node shows after six seconds instead of forty
    '--node-monitor-period=1s',
    '--node-monitor-grace-period=6s',
    '--v=1',
    ...(more ?? []),
  ];
}

export function schedulerFlags(facts: PlaneFacts, more: More): string[] {
  return [...asUser(facts, 'scheduler'), `--secure-port=${facts.schedulerPort}`, '--v=1', ...(more ?? [])];
}

function asUser(facts: PlaneFacts, user: string): string[] {
  const kubeconfig = kubeconfigOf(facts.pki, user);
  const flags = ['kubeconfig', 'authentication-kubeconfig', 'authorization-kubeconfig'].map(
    flag => `--${flag}=${kubeconfig}`,
  );
  return [...flags, '--leader-elect=false', '--bind-address=127.0.0.1', '--profiling=false'];
}
