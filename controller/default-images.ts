/**
 * The image of commands that name none, and of the sentinel where the agent's image is not known. It runs with privileges on nodes, so that it
 * has a fixed version, as the images of builds do (`artifact/build/tool-images.ts`). `manifests/images.txt` lists all of them for mirrors and for
 * releases, which may replace the tags with digests (docs/supply.md).
 */
export const SHELL_IMAGE = 'busybox:1.37.0';
