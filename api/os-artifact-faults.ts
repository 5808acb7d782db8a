/** What a rule finds wrong with an OSArtifact. */
import type { OSArtifactSpec } from './os-artifact.js';

export interface SpecFault {
  /** Below `spec`. */
  path: (string | number)[];
  message: string;
  /** The field must be absent, whatever its value. */
  isForbidden?: boolean;
}

export type Rule = (spec: OSArtifactSpec) => SpecFault[];

/** An empty text counts as absent. */
export const isSet = (value: unknown) => value !== undefined && value !== null && value !== '';
export const fault = (message: string, ...path: (string | number)[]): SpecFault => ({ path, message });
export const forbidden = (message: string, ...path: (string | number)[]): SpecFault => ({
  path,
  message,
  isForbidden: true,
});
