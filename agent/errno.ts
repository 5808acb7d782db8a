/** Does the error carry one of these codes of the system, such as ENOENT? */
export const hasErrno = (error: unknown, ...codes: string[]): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && codes.includes(String(error.code));
