/** The annotations that the controller reads: the caches keep no others. */
import { ANNOTATIONS } from '../../api/names.js';

/** On the mirror Pod of a static pod. */
export const MIRROR = 'kubernetes.io/config.mirror';

/** Of a reboot Pod of the Go operator. The value "completed" means that it reboots its node within seconds, or has done so; it is never removed. */
export const REBOOT_STATE = 'kairos.io/reboot-state';

/**
 * Annotation on an adopted Job: the boot in which it was certain that no reboot had been requested for it; empty where that was
 * not certain. It is kept on the Job because the Pod that proves it is deleted.
 */
export const ADOPTED_IN_BOOT = 'operator.kairos.io/taken-over-in-boot';
/** Annotation on an adopted Job: whether it was complete when it was adopted. */
export const ADOPTED_COMPLETE = 'operator.kairos.io/taken-over-complete';
/** Annotation on an adopted Job: when it was adopted first. */
export const ADOPTED_AT = 'operator.kairos.io/taken-over-at';

export const KEPT_ANNOTATIONS: ReadonlySet<string> = new Set([
  ...Object.values(ANNOTATIONS),
  MIRROR,
  REBOOT_STATE,
  ADOPTED_IN_BOOT,
  ADOPTED_COMPLETE,
  ADOPTED_AT,
]);
