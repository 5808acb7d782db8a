export interface Cause {
  reason?: string;
  message?: string;
  field?: string;
}

export interface KubeErrorDetails {
  causes?: readonly Cause[];
  retryAfterSeconds?: number;
}

/** An error response of the API server. Callers distinguish errors by status code and cause, never by message. */
export class KubeError extends Error {
  /** `status.details.causes` of the response. */
  readonly causes: readonly Cause[];
  /** From the Retry-After header or `status.details`. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    readonly code: number,
    message: string,
    /** `status.reason` of the response, such as NotFound or AlreadyExists. */
    readonly reason?: string,
    details: KubeErrorDetails = {},
  ) {
    super(message);
    this.name = 'KubeError';
    this.causes = details.causes ?? [];
    this.retryAfterSeconds = details.retryAfterSeconds;
  }
}

/** A conflict that was found before the API server was asked; the loop retries it like one that the server reported. */
export class ConflictError extends Error {
  override readonly name = 'ConflictError';
}

const hasCode = (error: unknown, code: number): error is KubeError => error instanceof KubeError && error.code === code;

export const isNotFound = (error: unknown): error is KubeError => hasCode(error, 404);
export const isAlreadyExists = (error: unknown): error is KubeError =>
  hasCode(error, 409) && error.reason === 'AlreadyExists';
/** The object was modified since it was read, or has another uid. */
export const isConflict = (error: unknown): error is KubeError | ConflictError =>
  error instanceof ConflictError || (hasCode(error, 409) && error.reason !== 'AlreadyExists');
/** The resource version has expired, so a watch or a list cannot continue from it. */
export const isGone = (error: unknown): error is KubeError => hasCode(error, 410);
export const isTooManyRequests = (error: unknown): error is KubeError => hasCode(error, 429);
export const isForbidden = (error: unknown): error is KubeError => hasCode(error, 403);
/** The request is malformed or fails validation; repeating it gives the same result. */
export const isInvalid = (error: unknown): error is KubeError => hasCode(error, 422) || hasCode(error, 400);
/** The request was rejected by a policy, a quota, validation, or an admission webhook (500: one that cannot be called). */
export const isRefusal = (error: unknown): error is KubeError =>
  isForbidden(error) || isInvalid(error) || hasCode(error, 500);
