/** The controller that migrates is killed, frozen or refused at any point: the outcome is the same, though the reboot may be triggered by another program. */
import { afterAll, expect, test } from '@jest/globals';
import { nodesNamed, ONLY_N1 } from './lifecycle-setup.js';
import {
  legacyJobsLasting,
  createLegacyOperation,
  type LegacyNodeState,
  JOB_RUNNING,
  replaceLegacyOperator,
  AWAITING_REBOOT,
} from './migration-setup.js';
import { requestErrors, freezes, kills } from './fault-plans.js';
import type { Scenario } from './scenario.js';
import { runWithFaults, printKillPointCount } from './run-with-faults.js';
import { everyNth } from './sampling.js';

const scenarioOf = (name: string, node: LegacyNodeState): Scenario => ({
  name,
  cluster: { nodes: nodesNamed('n1'), ...legacyJobsLasting(20) },
  run: cluster =>
    replaceLegacyOperator(cluster, () => {
      const spec = { ...ONLY_N1, cordon: true, rebootOnSuccess: true };
      createLegacyOperation(cluster, { phase: 'Running', spec, nodes: { n1: node }, asAgent: true });
    }),
  expected: {},
});

const SCENARIOS: readonly Scenario[] = [
  scenarioOf('a running Job', { entry: JOB_RUNNING, cordon: 'marked', job: 'running', rebootPod: 'waiting' }),
  scenarioOf('a complete Job', {
    entry: AWAITING_REBOOT,
    cordon: 'marked',
    job: 'complete',
    rebootPod: 'waiting',
    sentinel: true,
  }),
  scenarioOf('an uncertain reboot', { entry: AWAITING_REBOOT, cordon: 'marked', job: 'complete' }),
];

afterAll(printKillPointCount);

const rows = SCENARIOS.map(one => [one.name, one] as const);

test.each(rows)(
  'migrates %s to the same outcome if the controller is killed at any action',
  async (_words, one) => {
    expect(await runWithFaults(one, calm => everyNth(4, kills(calm)))).toEqual([]);
  },
  300_000,
);

test.each(rows)(
  'migrates %s to the same outcome if any request is refused or its reply lost',
  async (_words, one) => {
    expect(await runWithFaults(one, calm => everyNth(6, requestErrors(calm)))).toEqual([]);
  },
  300_000,
);

test.each(rows)(
  'migrates %s to the same outcome if a frozen leader resumes beside a new one',
  async (_words, one) => {
    expect(await runWithFaults(one, calm => everyNth(6, freezes(calm)))).toEqual([]);
  },
  300_000,
);
