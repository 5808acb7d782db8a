/** Put in by the build; a program run from its sources has none. */
export const VERSION: string = process.env.KAIROS_OPERATOR_VERSION ?? 'dev';
