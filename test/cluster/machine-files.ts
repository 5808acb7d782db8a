/** What a machine's supervisor and the harness tell each other, by files in the machine's control folder. */
import { join } from 'node:path';
import type { Slot } from './kairos-identity.js';
import type { ProcessRecord } from './process-record.js';

/** Given to a supervisor at its start. */
export interface MachineConfig {
  /** Control folder. */
  control: string;
  /** One line per boot and per end of a boot. */
  log: string;
  /** What boot.sh prints. */
  bootLog: string;
  cgroup: string;
  bridge: string;
  veth: string;
  /** For boot.sh. */
  environment: Record<string, string>;
}

/** Written by the supervisor. */
export interface MachineState {
  power: 'on' | 'off';
  boots: number;
  bootId?: string;
  slot?: Slot;
  /** The node's init, as the host sees it. */
  init?: ProcessRecord;
}

/** The files of the control folder. */
export function control(folder: string) {
  const file = (name: string) => join(folder, name);
  return {
    state: file('state.json'),
    /** Written by the harness, removed by the supervisor: */
    powerButton: file('power-button'),
    stayOff: file('stay-off'),
    nextSlot: file('next-slot'),
    /** Kept until the harness removes them: */
    firmwareSeconds: file('firmware-seconds'),
    partitioned: file('partitioned'),
  };
}
