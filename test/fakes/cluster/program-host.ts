/** The machine as one instance of an agent reaches it: every change of it may be the last, and word of one may come late. */
import type { Host } from '../../../agent/host.js';
import type { FakeHost } from '../host.js';
import type { Instance } from './program.js';

export const hostOf = (host: FakeHost, instance: Instance): Host => ({
  read: async path => instance.look(() => host.read(path)),
  write: async (path, text) => instance.act(`write ${path}`, text, () => host.write(path, text)),
  remove: async path => instance.act(`remove ${path}`, undefined, () => host.remove(path)),
  list: async dir => instance.look(() => host.list(dir)),
  makeWritable: async dir => instance.look(() => host.makeWritable(dir)),
  hasDir: async dir => instance.look(() => host.hasDir(dir)),
  watch: async (dir, changed, signal) =>
    instance.look(() => host.watch(dir, name => instance.reach(() => changed(name)), signal)),
  bootId: async () => instance.look(() => host.bootId()),
  bootedAt: async () => instance.look(() => host.bootedAt()),
  cmdline: async () => instance.look(() => host.cmdline()),
  loaderEntry: async () => instance.look(() => host.loaderEntry()),
  arch: () => host.arch(),
  initName: async () => instance.look(() => host.initName()),
  signalInit: async signal => instance.act(`signal ${signal} to init`, undefined, () => host.signalInit(signal)),
  runInInitNamespaces: async (...command) =>
    instance.act(`run ${command.join(' ')}`, undefined, () => host.runInInitNamespaces(...command)),
});
