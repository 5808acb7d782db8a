/** The files in a machine's control folder, through which its supervisor and the harness communicate. */
import { join } from 'node:path';
import type { Slot } from './kairos-identity.js';
import type { ProcessRecord } from './process-record.js';

/** Passed to a supervisor at its start. */
export interface MachineConfig {
  /** Path of the control folder. */
  control: string;
  /** Log file with one line per start and per end of a boot. */
  log: string;
  /** Log file with the output of boot.sh. */
  bootLog: string;
  cgroup: string;
  bridge: string;
  veth: string;
  /** Environment of boot.sh. */
  environment: Record<string, string>;
}

/** Written by the supervisor. */
export interface MachineState {
  power: 'on' | 'off';
  boots: number;
  bootId?: string;
  slot?: Slot;
  /** The node's init process in the host's PID namespace. */
  init?: ProcessRecord;
}

/** The files of the control folder. */
export function controlFiles(folder: string) {
  const file = (name: string) => join(folder, name);
  return {
    state: file('state.json'),
    // Written by the harness, removed by the supervisor:
    powerButton: file('power-button'),
    stayOff: file('stay-off'),
    nextSlot: file('next-slot'),
    // Kept until the harness removes them:
    firmwareSeconds: file('firmware-seconds'),
    partitioned: file('partitioned'),
  };
}
