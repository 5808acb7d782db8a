/** Set by the build; `dev` when the program runs from its sources. */
export const VERSION: string = process.env.KAIROS_OPERATOR_VERSION ?? 'dev';
