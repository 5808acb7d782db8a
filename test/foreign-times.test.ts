/**
 * Kubelets and the kube-controller-manager write times by clocks of their own, which may be hours off. They are never compared with the time
 * of the controller, so only these files may read them at all.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { sourceFiles } from './imports.js';

const ALLOWED: Record<string, string> = {
  'controller/cluster/pod.ts': 'says in its types whose times they are',
  'controller/cluster/job.ts': 'says in its types whose times they are',
  'controller/cluster/adopted-job.ts': 'subtracts the start of a Job from its end, both by one clock',
  'controller/cluster/conditions.ts': 'writes the conditions of this operator',
  'controller/upgrade/probes.ts': 'reads a condition of this operator',
  'controller/artifact/decide/building.ts': 'subtracts the start of a step from its end, both by one clock',
  'controller/artifact/progress/builder-progress.ts': 'shows the times of the steps to users',
};

const FOREIGN_TIME =
  /\b(startTime|finishedAt|completionTime|lastTransitionTime|lastHeartbeatTime|lastProbeTime|timeAdded)\b|\b(running|terminated|state)\b[^;\n]*\bstartedAt\b/;

/** A line of a comment reads nothing. */
const isCode = (line: string) => !/^\s*(\*|\/\*|\/\/)/.test(line);

test('only the listed files of the controller read times of other clocks', () => {
  const readers = sourceFiles('controller').filter(file =>
    readFileSync(file, 'utf8')
      .split('\n')
      .some(line => isCode(line) && FOREIGN_TIME.test(line)),
  );
  expect(readers.toSorted()).toEqual(Object.keys(ALLOWED).toSorted());
});
