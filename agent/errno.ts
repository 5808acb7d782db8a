/** Whether the error carries one of these system error codes, such as ENOENT (errno(3)). */
export const hasErrno = (error: unknown, ...codes: string[]): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && codes.includes(String(error.code));
