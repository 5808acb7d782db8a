/** The product's own programs, as they are, each over an instance that can die or freeze. */
import { runAgent } from '../../../agent/agent.js';
import { LEADER_LEASE } from '../../../api/names.js';
import { runControllers } from '../../../controller/controllers.js';
import { whileLeader } from '../../../kube/leader.js';
import { silentLog } from '../../../program/log.js';
import type { FakeApiServer } from './api-server.js';
import type { Machine } from './machine.js';
import type { Process } from './process.js';
import { type Mutation, Program } from './program.js';
import { processHost } from './process-host.js';
import { ProcessKube } from './process-kube.js';

/** Where the operator itself is. */
export const OWN_NAMESPACE = 'operator-system';

export interface ProgramDeps {
  api: FakeApiServer;
  mutations: Mutation[];
  random: () => number;
  /** How late an event of this resource reaches this program, in milliseconds. */
  watchDelay: (program: string, plural: string) => number;
  allowedNamespaces?: readonly string[];
}

/** The kubelet starts again what ended. */
const RESTART_MS = 1_000;

const kubeOf = (process: Process, { api, watchDelay }: ProgramDeps) =>
  new ProcessKube(api, process, { delay: plural => watchDelay(process.program.name, plural) });

/** One replica of the controller; its name is its identity. */
export function controllerProgram(name: string, deps: ProgramDeps): Program {
  const main = (process: Process) => {
    const kube = kubeOf(process, deps);
    const around = { log: silentLog, clock: process.clock };
    const settings = {
      ...around,
      identity: name,
      defaultImage: 'busybox:latest',
      sentinel: { image: 'registry.example/agent:1', command: ['agent', 'sentinel'] },
      ownNamespace: OWN_NAMESPACE,
      allowedNamespaces: deps.allowedNamespaces,
    };
    const lease = { namespace: OWN_NAMESPACE, name: LEADER_LEASE, identity: name };
    const { signal } = process.sigterm;
    return whileLeader(kube, lease, { ...around, signal, random: deps.random }, leading =>
      runControllers(kube.with(leading), settings, leading),
    );
  };
  return new Program({ name, clock: deps.api.clock, mutations: deps.mutations, restartMs: RESTART_MS, main });
}

/** The agent of one machine. */
export function agentProgram({ name, host }: Machine, deps: ProgramDeps): Program {
  const main = (process: Process) =>
    runAgent(
      {
        kube: kubeOf(process, deps),
        host: processHost(host, process),
        clock: process.clock,
        log: silentLog,
        nodeName: name,
        agentVersion: 'test',
        random: deps.random,
      },
      process.sigterm.signal,
    );
  return new Program({
    name: `agent-${name}`,
    clock: deps.api.clock,
    mutations: deps.mutations,
    restartMs: RESTART_MS,
    main,
  });
}
