/** Names of the objects that are created for an OSArtifact. They are published: users and their scripts rely on them. */
import { boundedName } from '../../../api/resource-name.js';

export interface ObjectNames {
  config: string;
  claim: string;
  secret: string;
  exporter: (index: number) => string;
}

/** The name of a Job becomes a label value of its Pods, which has at most 63 characters. */
const jobName = (name: string): string => (name.length <= 63 ? name : boundedName(name));

export const namesFor = (artifact: string): ObjectNames => ({
  config: artifact,
  claim: `${artifact}-artifacts`,
  secret: `${artifact}-rendered-ocispec`,
  exporter: index => jobName(`${artifact}-export-${index}`),
});
