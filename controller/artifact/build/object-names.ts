/** Names of what is made for an OSArtifact: known to users and their scripts. */
import { boundedName } from '../../../api/resource-name.js';

export interface Names {
  artifact: string;
  config: string;
  claim: string;
  secret: string;
  exporter: (index: number) => string;
}

/** A Job's name is a label of its Pods. */
const jobName = (name: string): string => (name.length <= 63 ? name : boundedName(name));

export const namesFor = (artifact: string): Names => ({
  artifact,
  config: artifact,
  claim: `${artifact}-artifacts`,
  secret: `${artifact}-rendered-ocispec`,
  exporter: index => jobName(`${artifact}-export-${index}`),
});
