/** Fails a step with an explanation unless the unpacked image is a Kairos image. */
import { IS_OLD_KAIROS } from './release-file.js';

const NOT_KAIROS =
  'the image has no /etc/kairos-release: it is not a Kairos image. Name it in baseImageName (or image.buildOptions.baseImage) to make one of it';

/* `-e` follows a link, whose target may be absent here. */
export const REQUIRE_KAIROS = `{ [ -e /rootfs/etc/kairos-release ] || [ -L /rootfs/etc/kairos-release ] || { ${IS_OLD_KAIROS}; } || { echo '${NOT_KAIROS}' > /dev/termination-log; exit 1; }; }`;
