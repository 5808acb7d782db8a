/** The kinds that the operator serves, with their names in URLs, manifests and owner references. */

export interface Kind {
  group: string;
  version: string;
  plural: string;
  singular: string;
  kind: string;
  namespaced: boolean;
}

/** Runs a command on nodes. */
export const NODE_OP: Kind = {
  group: 'operator.kairos.io',
  version: 'v1alpha1',
  plural: 'nodeops',
  singular: 'nodeop',
  kind: 'NodeOp',
  namespaced: true,
};
/** Upgrades Kairos nodes to the system in an image. */
export const NODE_OP_UPGRADE: Kind = {
  group: 'operator.kairos.io',
  version: 'v1alpha1',
  plural: 'nodeopupgrades',
  singular: 'nodeopupgrade',
  kind: 'NodeOpUpgrade',
  namespaced: true,
};
/** The channel between the controller and the agent of one node. */
export const NODE_AGENT: Kind = {
  group: 'operator.kairos.io',
  version: 'v1alpha1',
  plural: 'nodeagents',
  singular: 'nodeagent',
  kind: 'NodeAgent',
  namespaced: false,
};
/** Builds installation media and images. */
export const OS_ARTIFACT: Kind = {
  group: 'build.kairos.io',
  version: 'v1alpha2',
  plural: 'osartifacts',
  singular: 'osartifact',
  kind: 'OSArtifact',
  namespaced: true,
};

/** The `apiVersion` of a manifest: `group/version`, or only the version for the core group. */
export const apiVersion = (kind: { group: string; version: string }): string =>
  kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
