/** The product's own programs, as they are, each over an instance that can die or freeze. */
import { runAgent } from '../../../agent/agent.js';
import { LEADER_LEASE } from '../../../api/names.js';
import { runControllers } from '../../../controller/controllers.js';
import { whileLeader } from '../../../kube/leader.js';
import { silentLog } from '../../../program/log.js';
import type { Api } from './api.js';
import type { Machine } from './machine.js';
import { type Act, type Instance, Program } from './program.js';
import { hostOf } from './program-host.js';
import { ProgramKube } from './program-kube.js';

/** Where the operator itself is. */
export const OWN_NAMESPACE = 'operator-system';

export interface ProgramDeps {
  api: Api;
  acts: Act[];
  random: () => number;
  /** How late an event of this resource reaches this program, in milliseconds. */
  delay: (program: string, plural: string) => number;
  allowedNamespaces?: readonly string[];
}

/** The kubelet starts again what ended. */
const RESTART_MS = 1_000;

const kubeOf = (instance: Instance, { api, delay }: ProgramDeps) =>
  new ProgramKube(api, instance, { delay: plural => delay(instance.program.name, plural) });

/** One replica of the controller; its name is its identity. */
export function controllerProgram(name: string, deps: ProgramDeps): Program {
  const main = (instance: Instance) => {
    const kube = kubeOf(instance, deps);
    const around = { log: silentLog, clock: instance.clock };
    const settings = {
      ...around,
      identity: name,
      defaultImage: 'busybox:latest',
      sentinel: { image: 'registry.example/agent:1', command: ['agent', 'sentinel'] },
      ownNamespace: OWN_NAMESPACE,
      allowedNamespaces: deps.allowedNamespaces,
    };
    const lease = { namespace: OWN_NAMESPACE, name: LEADER_LEASE, identity: name };
    const { signal } = instance.stop;
    return whileLeader(kube, lease, { ...around, signal, random: deps.random }, leading =>
      runControllers(kube.with(leading), settings, leading),
    );
  };
  return new Program({ name, clock: deps.api.clock, acts: deps.acts, restartMs: RESTART_MS, main });
}

/** The agent of one machine. */
export function agentProgram({ name, host }: Machine, deps: ProgramDeps): Program {
  const main = (instance: Instance) =>
    runAgent(
      {
        kube: kubeOf(instance, deps),
        host: hostOf(host, instance),
        clock: instance.clock,
        log: silentLog,
        nodeName: name,
        agentVersion: 'test',
        random: deps.random,
      },
      instance.stop.signal,
    );
  return new Program({ name: `agent-${name}`, clock: deps.api.clock, acts: deps.acts, restartMs: RESTART_MS, main });
}
