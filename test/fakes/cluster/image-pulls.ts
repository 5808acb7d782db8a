/** What a registry answers to pulls, and what the kubelet reports of it. */
import type { ImageOptions } from './container-behavior.js';

/** Errors of the container runtime, as real registries cause them. */
export const PULL_ERRORS = {
  unauthorized: (image: string) =>
    `failed to pull and unpack image "${image}": failed to resolve reference "${image}": failed to authorize: failed to fetch oauth token: unexpected status from GET request: 401 Unauthorized`,
  notFound: (image: string) =>
    `failed to pull and unpack image "${image}": failed to resolve reference "${image}": ${image}: not found`,
  noSuchHost: (image: string) =>
    `failed to pull and unpack image "${image}": failed to resolve reference "${image}": failed to do request: Head "https://registry.example/v2/": dial tcp: lookup registry.example: no such host`,
} as const;

const FIRST_BACK_OFF_MS = 10_000;
const MAX_BACK_OFF_MS = 300_000;
/** How long an attempt takes until its error is known, and ErrImagePull is reported. */
const ATTEMPT_MS = 2_000;

interface Trouble {
  waiting: { reason: string; message: string };
  /** Monotonic; absent when the pull fails for good. */
  retryAt?: number;
}

/** Undefined when the image can be pulled now. */
export function pullWaiting(
  image: string,
  { error, backsOff, errorUntilSeconds }: ImageOptions,
  now: number,
): Trouble | undefined {
  if (error === undefined) return undefined;
  const end = errorUntilSeconds === undefined ? undefined : errorUntilSeconds * 1000;
  if (end !== undefined && now >= end) return undefined;
  if (backsOff !== true) return { waiting: { reason: 'ErrImagePull', message: error }, retryAt: end };
  const { isBackOff, changesAt } = attemptAt(now);
  const message = isBackOff ? `Back-off pulling image "${image}": ErrImagePull: ${error}` : error;
  const waiting = { reason: isBackOff ? 'ImagePullBackOff' : 'ErrImagePull', message };
  return { waiting, retryAt: end === undefined ? changesAt : Math.min(changesAt, end) };
}

/** Attempts are made after 10, 20, 40 … 300 s, counted from the start of the cluster. */
function attemptAt(now: number): { isBackOff: boolean; changesAt: number } {
  let [at, pause] = [0, FIRST_BACK_OFF_MS];
  while (at + ATTEMPT_MS + pause <= now) {
    at += ATTEMPT_MS + pause;
    pause = Math.min(pause * 2, MAX_BACK_OFF_MS);
  }
  const isBackOff = now >= at + ATTEMPT_MS;
  return { isBackOff, changesAt: isBackOff ? at + ATTEMPT_MS + pause : at + ATTEMPT_MS };
}
