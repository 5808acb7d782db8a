/** What is allowed and yet may surprise. `kubectl` prints each as a line of its own. */
import { type Fields, fieldsOf } from './raw.js';

/** Looks at a spec with all defaults. */
export type Caution = (spec: Fields) => string[];

const drainWithoutCordon: Caution = spec =>
  fieldsOf(spec.drainOptions).enabled === true && spec.cordon !== true
    ? ['spec.drainOptions.enabled: has no effect without spec.cordon, nothing will be drained']
    : [];

const allAtOnce = (spec: Fields, does: string): string[] =>
  spec.concurrency === 0
    ? [`spec.concurrency: 0 means that all matching workers ${does} at the same time; set a number or a percentage`]
    : [];

const allWorkersAtOnce: Caution = spec => {
  if (spec.rebootOnSuccess === true) return allAtOnce(spec, 'reboot');
  return spec.cordon === true ? allAtOnce(spec, 'are cordoned') : [];
};

const allUpgradesAtOnce: Caution = spec =>
  allAtOnce(spec, spec.upgradeActive === false ? 'are cordoned and drained' : 'are drained and reboot');

export const NODE_OP_CAUTIONS: readonly Caution[] = [drainWithoutCordon, allWorkersAtOnce];
export const NODE_OP_UPGRADE_CAUTIONS: readonly Caution[] = [allUpgradesAtOnce];
