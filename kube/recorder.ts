import type { Kube } from './kube.js';
import type { Clock } from '../program/clock.js';
import type { Log } from '../program/log.js';

export interface EventSubject {
  apiVersion: string;
  kind: string;
  name: string;
  namespace?: string;
  uid: string;
}

/** Something a user may want to hear, told on the object it is about. */
export interface Event {
  about: EventSubject;
  type: 'Normal' | 'Warning';
  /** One word in CamelCase. */
  reason: string;
  message: string;
  /** What was done; the reason, if absent. */
  action?: string;
  related?: EventSubject;
}

export interface Recorder {
  /** Returns at once and never throws: an event is a courtesy, not a step. */
  record(event: Event): void;
}

export interface RecorderOptions {
  log: Log;
  clock: Clock;
  /** Which of our programs speaks; the Pod's name, as a rule. */
  instance: string;
  signal?: AbortSignal;
}

export function recorder(_kube: Kube, _options: RecorderOptions): Recorder & { idle(): Promise<void> } {
  return { record: () => undefined, idle: () => Promise.resolve() };
}
