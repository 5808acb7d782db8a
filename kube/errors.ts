export interface Cause {
  reason?: string;
  message?: string;
  field?: string;
}

export interface KubeErrorDetails {
  causes?: readonly Cause[];
  retryAfterSeconds?: number;
}

/** What the API server answered when it did not do what was asked; told apart by status code and cause, never by text. */
export class KubeError extends Error {
  /** `status.details.causes`: reason and message of each. */
  readonly causes: readonly Cause[];
  /** From the header Retry-After or `status.details`. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    readonly code: number,
    message: string,
    /** `status.reason` of the answer, such as NotFound or AlreadyExists. */
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
/** Somebody wrote in between, or the object has another uid by now. */
export const isConflict = (error: unknown): error is KubeError | ConflictError =>
  error instanceof ConflictError || (hasCode(error, 409) && error.reason !== 'AlreadyExists');
/** The resource version is too old to go on from. */
export const isGone = (error: unknown): error is KubeError => hasCode(error, 410);
export const isTooManyRequests = (error: unknown): error is KubeError => hasCode(error, 429);
export const isForbidden = (error: unknown): error is KubeError => hasCode(error, 403);
/** The server understood and will refuse the same again. */
export const isInvalid = (error: unknown): error is KubeError => hasCode(error, 422) || hasCode(error, 400);
/** It will not be done as it was asked for: a policy, a quota, the schema, or an admission webhook that does not answer is against it. */
export const isRefusal = (error: unknown): error is KubeError =>
  isForbidden(error) || isInvalid(error) || hasCode(error, 500);
