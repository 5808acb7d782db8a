/** The machine as one instance of an agent reaches it: every change of it may be the last, and word of one may come late. */
import type { Host } from '../../../agent/host.js';
import type { FakeHost } from '../host.js';
import type { Process } from './program.js';

export const processHost = (host: FakeHost, instance: Process): Host => ({
  read: async path => instance.read(() => host.read(path)),
  write: async (path, text) => instance.mutate(`write ${path}`, text, () => host.write(path, text)),
  remove: async path => instance.mutate(`remove ${path}`, undefined, () => host.remove(path)),
  list: async dir => instance.read(() => host.list(dir)),
  makeWritable: async dir => instance.read(() => host.makeWritable(dir)),
  hasDir: async dir => instance.read(() => host.hasDir(dir)),
  watch: async (dir, changed, signal) =>
    instance.read(() => host.watch(dir, name => instance.deliver(() => changed(name)), signal)),
  bootId: async () => instance.read(() => host.bootId()),
  bootedAt: async () => instance.read(() => host.bootedAt()),
  cmdline: async () => instance.read(() => host.cmdline()),
  loaderEntry: async () => instance.read(() => host.loaderEntry()),
  arch: () => host.arch(),
  initName: async () => instance.read(() => host.initName()),
  signalInit: async signal => instance.mutate(`signal ${signal} to init`, undefined, () => host.signalInit(signal)),
  runInInitNamespaces: async (...command) =>
    instance.mutate(`run ${command.join(' ')}`, undefined, () => host.runInInitNamespaces(...command)),
});
