/** The real controller and the real agent, each run on the fake API client, host and clock of its process. */
import { runAgent } from '../../../agent/agent.js';
import { LEADER_LEASE } from '../../../api/names.js';
import { runControllers } from '../../../controller/controllers.js';
import { whileLeader } from '../../../kube/leader.js';
import { serverClock, type ServerTime } from '../../../kube/server-clock.js';
import { silentLog } from '../../../program/log.js';
import type { FakeApiServer } from './api-server.js';
import type { Machine } from './machine.js';
import type { Process } from './process.js';
import { type Mutation, Program } from './program.js';
import { processHost } from './process-host.js';
import { ProcessKube } from './process-kube.js';

/** The namespace of the operator. */
export const OWN_NAMESPACE = 'operator-system';

export interface ProgramDeps {
  api: FakeApiServer;
  mutations: Mutation[];
  random: () => number;
  /** Delay with which a watch event of this resource reaches this program, in milliseconds. */
  watchDelay: (program: string, plural: string) => number;
  allowedNamespaces?: readonly string[];
  /** By replica of the controller: how many seconds its wall clock is ahead. */
  clockOffsets?: Readonly<Record<string, number>>;
}

/** Delay after which the kubelet restarts a program that ended. */
const RESTART_MS = 1_000;

const kubeOf = (process: Process, { api, watchDelay }: ProgramDeps, onServerTime?: (time: ServerTime) => void) =>
  new ProcessKube(api, process, { delay: plural => watchDelay(process.program.name, plural), onServerTime });

/** One replica of the controller; its name is its identity in the leader election lease. */
export function controllerProgram(name: string, deps: ProgramDeps): Program {
  const main = (process: Process) => {
    const clock = serverClock(process.clock, silentLog);
    const kube = kubeOf(process, deps, time => clock.observe(time));
    const runtime = { log: silentLog, clock };
    const settings = {
      ...runtime,
      identity: name,
      defaultImage: 'busybox:latest',
      sentinel: { image: 'registry.example/agent:1', command: ['agent', 'sentinel'] },
      ownNamespace: OWN_NAMESPACE,
      allowedNamespaces: deps.allowedNamespaces,
    };
    const lease = { namespace: OWN_NAMESPACE, name: LEADER_LEASE, identity: name };
    const { signal } = process.sigterm;
    return whileLeader(kube, lease, { ...runtime, signal, random: deps.random }, leading =>
      runControllers(kube.with(leading), settings, leading),
    );
  };
  const clockOffsetSeconds = () => deps.clockOffsets?.[name] ?? 0;
  const { api, mutations } = deps;
  return new Program({ name, clock: api.clock, mutations, restartMs: RESTART_MS, main, clockOffsetSeconds });
}

/** The agent of one machine. */
export function agentProgram(machine: Machine, deps: ProgramDeps): Program {
  const { name, host } = machine;
  const main = (process: Process) => {
    const server = serverClock(process.clock, silentLog);
    return runAgent(
      {
        kube: kubeOf(process, deps, time => server.observe(time)),
        serverNow: () => server.now(),
        host: processHost(host, process),
        clock: { ...process.clock, now: () => new Date(process.clock.now().getTime() + machine.clockAheadMs) },
        log: silentLog,
        nodeName: name,
        agentVersion: 'test',
        random: deps.random,
      },
      process.sigterm.signal,
    );
  };
  return new Program({
    name: `agent-${name}`,
    clockOffsetSeconds: () => machine.clockOffsetSeconds,
    clock: deps.api.clock,
    mutations: deps.mutations,
    restartMs: RESTART_MS,
    main,
  });
}
