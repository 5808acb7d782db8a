/** The versions of the build tools that the steps are written for. What is relied on, and how to check a newer version: `docs/osartifact-tools.md`. */
export const TOOL_IMAGES = {
  /** With auroraboot and luet. */
  tool: 'quay.io/kairos/auroraboot:v0.24.0',
  buildah: 'quay.io/buildah/stable:v1.43.1',
  kairosInit: 'quay.io/kairos/kairos-init:v0.16.1',
} as const;
