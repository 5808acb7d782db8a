/** `npm run test:long` runs every case; `npm test` only every nth, to stay short. */
export const IS_LONG_RUN = process.env.LONG_TESTS === 'true';

export const everyNth = <T>(nth: number, all: readonly T[]): T[] =>
  IS_LONG_RUN ? [...all] : all.filter((_each, index) => index % nth === 0);
