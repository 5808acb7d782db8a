/** What a rule finds wrong with an OSArtifact. */
import type { OSArtifactSpec } from './os-artifact.js';

export interface SpecFault {
  /** Below `spec`. */
  path: (string | number)[];
  message: string;
  /** What is there may not be there, whatever its value. */
  isTooMuch?: boolean;
}

export type Rule = (spec: OSArtifactSpec) => SpecFault[];

/** An empty text is none. */
export const given = (value: unknown) => value !== undefined && value !== null && value !== '';
export const fault = (message: string, ...path: (string | number)[]): SpecFault => ({ path, message });
export const tooMuch = (message: string, ...path: (string | number)[]): SpecFault => ({
  path,
  message,
  isTooMuch: true,
});
