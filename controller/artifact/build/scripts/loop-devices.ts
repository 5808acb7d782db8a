/**
 * Scripts about loop devices, which belong to the whole node: a container sees those that existed when it started, and a device stays attached after the
 * end of the container that attached it.
 */
import { SCRATCH_FOLDER } from './work-folder.js';

/** Nodes beyond the devices of the node, for this build and for others that run meanwhile. */
const SPARE_DEVICES = 64;

/** Opening the control device loads the module of the kernel. */
const MAKE_NODES = [
  '{ [ -e /dev/loop-control ] || mknod /dev/loop-control c 10 237 || true; }',
  '{ ( : < /dev/loop-control ) || true; }',
  'last=$(ls /sys/block | sed -n "s/^loop//p" | sort -n | tail -n 1)',
  'step=$(sed -n "s/^7://p" /sys/block/loop1/dev 2>/dev/null || true)',
  `for number in $(seq 0 $((\${last:-0} + ${SPARE_DEVICES}))); do [ -e /dev/loop$number ] || mknod /dev/loop$number b 7 $((number * \${step:-1})) || true; done`,
];

/** A file that was deleted while it was attached: the work folder of a build that was killed. */
const LEFT_BY_KILLED = `*"/kairos-operator-build."*" (deleted)"`;

/** The kernel shows the path within the container, and another build on the node may use the same one: the device must have the file of this container. */
const IS_OWN = 'losetup -n -O NAME -j "$file" | grep -qx "$device"';

/** Detaches the devices of files below `path`, and those that killed builds have left on the node. */
export const detachLoops = (path: string): string[] => [
  [
    'for backing in $(ls -d /sys/block/loop*/loop/backing_file 2>/dev/null)',
    'do device=/dev/$(basename "$(dirname "$(dirname "$backing")")")',
    'file=$(cat "$backing" 2>/dev/null || true)',
    `case "$file" in ${LEFT_BY_KILLED}) ;; "${path}"/*) ${IS_OWN} || continue ;; *) continue ;; esac`,
    '! command -v kpartx >/dev/null || kpartx -d "$device" >/dev/null 2>&1 || true',
    'losetup -d "$device" >/dev/null 2>&1 || true',
    'done',
  ].join('; '),
];

export const PREPARE_LOOPS: readonly string[] = [...MAKE_NODES, ...detachLoops(SCRATCH_FOLDER)];
