#!/bin/bash
# The first process of a booting node, in its new namespaces: sets up the root file system and then executes init.
# Environment: NODE IP PREFIX_LENGTH GATEWAY PEERS ("name ip podrange" lines) POD_RANGE ALL_PODS DISK BASE BIN_KUBELET BIN_PROXY
#              FILES PKI SPEC BOOT_ID SLOT SLOT_LABEL
set -e
root=/mnt
mount --make-rprivate /
hostname "$NODE"

# Root: the slot's layer on top of the base. The writable layer is discarded at each boot, as on an immutable system.
rm -rf "$DISK/upper" "$DISK/work"
mkdir -p "$DISK/upper" "$DISK/work"
mount -t overlay overlay -o "lowerdir=$DISK/cos-state/$SLOT:$BASE,upperdir=$DISK/upper,workdir=$DISK/work" $root
for d in var oem usr/local etc/kubernetes root; do
  mkdir -p "$root/$d" "$DISK/persist/$d"
  mount --bind "$DISK/persist/$d" "$root/$d"
done
mount -t tmpfs -o mode=755,size=512m tmpfs $root/run
mount -t tmpfs tmpfs $root/tmp
mkdir -p $root/run/initramfs/cos-state $root/run/node $root/run/lock $root/opt/node $root/opt/kubernetes
mount --bind "$DISK/cos-state" $root/run/initramfs/cos-state
mount --bind -o ro "$FILES" $root/opt/node
for pair in "kubelet $BIN_KUBELET" "kube-proxy $BIN_PROXY"; do
  touch "$root/opt/kubernetes/${pair%% *}"
  mount --bind -o ro "${pair#* }" "$root/opt/kubernetes/${pair%% *}"
done

# Kernel file systems.
mount -t proc -o nosuid,nodev,noexec proc $root/proc
mount -t sysfs -o nosuid,nodev,noexec sysfs $root/sys
mount -t tmpfs -o mode=755 tmpfs $root/sys/fs/cgroup
for c in cpu cpuacct cpuset memory devices freezer blkio pids; do
  mkdir "$root/sys/fs/cgroup/$c"
  mount -t cgroup -o "$c" cgroup "$root/sys/fs/cgroup/$c"
done
mkdir $root/sys/fs/cgroup/systemd
mount -t cgroup -o none,name=systemd cgroup $root/sys/fs/cgroup/systemd
mount -t tmpfs -o mode=755,size=64k dev $root/dev
mkdir $root/dev/pts $root/dev/shm $root/dev/mqueue $root/dev/net
while read -r name mode major minor; do
  mknod -m "$mode" "$root/dev/$name" c "$major" "$minor"
done <<DEVICES
null 666 1 3
zero 666 1 5
full 666 1 7
random 666 1 8
urandom 666 1 9
kmsg 644 1 11
tty 666 5 0
fuse 666 10 229
DEVICES
ln -s /proc/self/fd $root/dev/fd
for pair in stdin:0 stdout:1 stderr:2; do ln -s "fd/${pair#*:}" "$root/dev/${pair%:*}"; done
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts $root/dev/pts
ln -s pts/ptmx $root/dev/ptmx
mount -t tmpfs tmpfs $root/dev/shm
mount -t mqueue mqueue $root/dev/mqueue

# The boot id and the kernel command line are different for each boot.
echo "$BOOT_ID" >$root/run/node/boot_id
echo "BOOT_IMAGE=(loop0)/boot/vmlinuz console=tty1 root=LABEL=$SLOT_LABEL cos-img/filename=/cOS/$SLOT.img rd.neednet=0" >$root/run/node/cmdline
mount --bind $root/run/node/boot_id $root/proc/sys/kernel/random/boot_id
mount --bind $root/run/node/cmdline $root/proc/cmdline

# The kubelet would change these settings of the host. It finds the desired values in these files, so that it does not change the real ones.
for pair in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
  kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
  file=$root/run/node/sysctl/${pair%%=*}
  mkdir -p "${file%/*}"
  echo "${pair#*=}" >"$file"
  mount --bind "$file" "$root/proc/sys/${pair%%=*}"
done
for pair in ip_forward=1 conf/all/rp_filter=0 conf/default/rp_filter=0; do echo "${pair#*=}" >"/proc/sys/net/ipv4/${pair%=*}"; done
echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables 2>/dev/null || true

# Network: the supervisor moves eth0 into this namespace as soon as it knows the PID of this process.
tries=0
until ip link show eth0 >/dev/null 2>&1; do
  tries=$((tries + 1))
  [ $tries -lt 200 ] || { echo 'eth0 did not appear within 10 s' >&2; exit 1; }
  sleep 0.05
done
ip link set lo up
ip addr add "$IP/$PREFIX_LENGTH" dev eth0
ip link set eth0 up
ip route add default via "$GATEWAY"
echo '127.0.0.1 localhost' >$root/etc/hosts
while read -r peer ip pods; do
  [ -n "$peer" ] || continue
  echo "$ip $peer" >>$root/etc/hosts
  [ "$peer" = "$NODE" ] || ip route add "$pods" via "$ip"
done <<<"$PEERS"

# Files that identify the machine.
echo "$NODE" >$root/etc/hostname
[ -f "$DISK/persist/machine-id" ] || tr -d - </proc/sys/kernel/random/uuid >"$DISK/persist/machine-id"
cp "$DISK/persist/machine-id" $root/etc/machine-id
echo "nameserver $GATEWAY" >$root/etc/resolv.conf
cp "$FILES/inittab" $root/etc/inittab
ln -sf /bin/busybox $root/sbin/init
for name in reboot poweroff halt shutdown; do ln -sf /opt/node/systemctl "$root/sbin/$name"; done
ln -sf /opt/node/systemctl $root/usr/bin/systemctl
ln -sf /opt/node/kairos-agent $root/usr/bin/kairos-agent
cp "$PKI/node-$NODE.kubeconfig" $root/etc/kubernetes/kubelet.kubeconfig
cp "$PKI/kube-proxy.kubeconfig" $root/etc/kubernetes/kube-proxy.kubeconfig
cp "$PKI/ca.crt" $root/etc/kubernetes/
cp "$FILES/kubelet.yaml" $root/etc/kubernetes/kubelet.yaml
mkdir -p $root/etc/cni/net.d $root/etc/containerd $root/etc/kubernetes/manifests $root/var/log
sed "s|@POD_RANGE@|$POD_RANGE|" "$FILES/cni.conflist" >$root/etc/cni/net.d/10-pods.conflist
cp "$FILES/containerd.toml" $root/etc/containerd/config.toml
cp "$SPEC" $root/etc/containerd/container-spec.json
printf 'NODE=%s\nIP=%s\nALL_PODS=%s\n' "$NODE" "$IP" "$ALL_PODS" >$root/run/node/env

# pivot_root requires a private root and mount propagation into containers requires a shared one: private before, shared after.
cd $root
mkdir -p .old
pivot_root . .old
umount -l /.old
rmdir /.old 2>/dev/null || true
mount --make-rshared /
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root container=simulated /sbin/init </dev/null
