/** Scripts on the folder with the built files. */

/** Files of an earlier build must not be taken for files of this one. */
export const CLEAR_ARTIFACTS = 'find /artifacts -mindepth 1 -maxdepth 1 ! -name lost+found -exec rm -rf {} +';

export const LIST_ARTIFACTS = 'ls -l /artifacts';
