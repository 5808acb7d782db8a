/** Asks the machine to reboot: in the orderly way of its init process first, and in more forceful ways when that one fails. */
import type { RebootAnswer } from '../api/node-agent.js';
import type { Host } from './host.js';

/**
 * SIGRTMIN+5: systemd starts reboot.target at once (systemd(1), "Signals"). SIGRTMIN is 34 in glibc, which systemd is built with.
 */
export const SYSTEMD_REBOOT_SIGNAL = 39;

export type RebootMethod = NonNullable<RebootAnswer['method']>;

export interface RebootCall {
  method: RebootMethod;
  /** Why each way before this one did not work. */
  failures: readonly string[];
}

/** logind refuses while somebody holds a lock of the kind `block`, which asks for exactly that. */
const INHIBITED = /operation inhibited by|active block inhibitor/i;
/** logind has accepted a shutdown and waits for locks of the kind `delay`, such as that of a kubelet which terminates its Pods. */
const IN_PROGRESS = /already.* in progress/i;

/**
 * Resolves when the machine was asked, which is before it goes down.
 * Throws when every way failed, or when an inhibitor lock blocks the reboot: the caller tries again until the reboot is no longer wanted.
 */
export async function reboot(host: Host): Promise<RebootCall> {
  const failures: string[] = [];
  if ((await host.initName()) === 'systemd') {
    const failure = await callSystemctl(host);
    if (failure === undefined) return { method: 'systemctl', failures };
    failures.push(failure);
    try {
      await host.signalInit(SYSTEMD_REBOOT_SIGNAL);
      return { method: 'signal', failures };
    } catch (error) {
      failures.push(textOf(error));
    }
  }
  try {
    /* A command that hangs counts as a call: it may have asked for the reboot before. */
    await host.runInInitNamespaces('reboot');
    return { method: 'command', failures };
  } catch (error) {
    throw new Error([...failures, textOf(error)].join('; '), { cause: error });
  }
}

/**
 * Through logind, which the signal bypasses: it honors inhibitor locks, and so lets the kubelet shut its Pods down in order. Returns why the
 * machine will not reboot by this call.
 */
async function callSystemctl(host: Host): Promise<string | undefined> {
  try {
    const end = await host.runInInitNamespaces('systemctl', 'reboot');
    return end === 'hung' ? 'systemctl reboot: did not answer' : undefined;
  } catch (error) {
    const failure = textOf(error);
    if (IN_PROGRESS.test(failure)) return undefined;
    if (INHIBITED.test(failure)) throw error;
    return failure;
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
