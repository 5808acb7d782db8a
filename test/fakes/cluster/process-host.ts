/** The machine as a process of the agent sees it: a kill can hit before or after any change, and file events reach a frozen process late. */
import type { Host } from '../../../agent/host.js';
import type { FakeHost } from '../host.js';
import type { Process } from './process.js';

export const processHost = (host: FakeHost, process: Process): Host => ({
  read: async path => process.read(() => host.read(path)),
  readLinked: async path => process.read(() => host.readLinked(path)),
  write: async (path, text) => process.mutate({ name: `write ${path}`, body: text }, () => host.write(path, text)),
  remove: async path => process.mutate({ name: `remove ${path}`, body: undefined }, () => host.remove(path)),
  list: async dir => process.read(() => host.list(dir)),
  makeWritable: async dir => process.read(() => host.makeWritable(dir)),
  writeError: async dir => process.read(() => host.writeError(dir)),
  hasDir: async dir => process.read(() => host.hasDir(dir)),
  watch: async (dir, changed, signal) =>
    process.read(() => host.watch(dir, name => process.deliver(() => changed(name)), signal)),
  bootId: async () => process.read(() => host.bootId()),
  bootedAt: async () => process.read(() => host.bootedAt()),
  cmdline: async () => process.read(() => host.cmdline()),
  loaderEntry: async () => process.read(() => host.loaderEntry()),
  isStartedFromPartition: async () => process.read(() => host.isStartedFromPartition()),
  arch: () => host.arch(),
  initName: async () => process.read(() => host.initName()),
  signalInit: async signal =>
    process.mutate({ name: `signal ${signal} to init`, body: undefined }, () => host.signalInit(signal)),
  runInInitNamespaces: async (...command) =>
    process.mutate({ name: `run ${command.join(' ')}`, body: undefined }, () => host.runInInitNamespaces(...command)),
});
