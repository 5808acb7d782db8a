/**
 * Facts about the machine's hardware, for fleet inventories. Off by default. The systeminformation library is a separate file next to the
 * agent that is loaded only when the facts are on, so an agent without them does not pay for it.
 */
import { availableParallelism } from 'node:os';
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { System } from '../api/node-agent.js';
import type { Host } from './host.js';

/** Path of the library in the agent image. */
export const SYSTEM_LIBRARY = '/app/systeminformation.cjs';

/** The functions that the library answers without running other programs; the image has none, so all others would return nothing. */
interface Library {
  cpu(): Promise<unknown>;
  mem(): Promise<unknown>;
  networkInterfaces(): Promise<unknown>;
}

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : {});

/** DMI values that vendors leave in machines without a name of their own. */
const PLACEHOLDER =
  /^(|none|-|default string|unknown|not specified|to be filled by o\.e\.m\.|system (serial number|product name|manufacturer))$/i;
const MAX_TEXT_LENGTH = 128;

/** Undefined for anything but a meaningful text. */
function text(value: unknown): string | undefined {
  const trimmed = typeof value === 'string' ? value.replaceAll('\0', '').trim().slice(0, MAX_TEXT_LENGTH) : '';
  return PLACEHOLDER.test(trimmed) ? undefined : trimmed;
}
const positiveInteger = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined;

/**
 * Reads the hardware facts; what cannot be read is absent. `library` is an absolute path or the name of a package.
 * Throws when the library cannot be loaded or is not systeminformation.
 */
export async function readSystem(host: Host, library: string): Promise<System> {
  const systeminformation = await load(library);
  const dmi = (name: string) => read(host, `/sys/class/dmi/id/${name}`);
  const [processor, memory, interfaces] = await Promise.all([
    systeminformation.cpu(),
    systeminformation.mem(),
    systeminformation.networkInterfaces(),
  ]);
  return {
    vendor: await dmi('sys_vendor'),
    product: await dmi('product_name'),
    serial: await dmi('product_serial'),
    cpu: { model: cpuModel(fieldsOf(processor)), cores: availableParallelism() },
    memoryBytes: positiveInteger(fieldsOf(memory).total),
    disks: await disksOf(host),
    networks: await networksOf(host, Array.isArray(interfaces) ? interfaces.map(fieldsOf) : []),
  };
}

async function load(library: string): Promise<Library> {
  const loaded: unknown = await import(isAbsolute(library) ? pathToFileURL(library).href : library);
  const found = fieldsOf(loaded).default ?? loaded;
  if (!isLibrary(found)) throw new Error(`${library} is not systeminformation`);
  return found;
}

const isLibrary = (value: unknown): value is Library =>
  isFields(value) && ['cpu', 'mem', 'networkInterfaces'].every(name => typeof value[name] === 'function');

const read = (host: Host, path: string): Promise<string | undefined> => host.read(path).then(text, () => undefined);

const cpuModel = ({ manufacturer, brand }: Fields): string | undefined =>
  [text(manufacturer), text(brand)].filter(part => part !== undefined).join(' ') || undefined;

/** Block devices with hardware behind them: no loop devices, RAM disks or mapped volumes. */
async function disksOf(host: Host): Promise<System['disks']> {
  const names = (await host.list('/sys/block')).toSorted();
  const disks = names.map(async name => {
    if (!(await host.hasDir(`/sys/block/${name}/device`))) return [];
    /* The kernel counts in sectors of 512 bytes, whatever the sector size of the disk. */
    const sizeBytes = positiveInteger(Number(await read(host, `/sys/block/${name}/size`)) * 512);
    if (sizeBytes === undefined) return [];
    return [{ name, sizeBytes, model: await read(host, `/sys/block/${name}/device/model`) }];
  });
  return (await Promise.all(disks)).flat();
}

/** Physical interfaces, without those that the cluster network created. */
async function networksOf(host: Host, interfaces: readonly Fields[]): Promise<System['networks']> {
  const networks = interfaces.map(async ({ iface, mac, speed }) => {
    const name = text(iface);
    if (name === undefined || !(await host.hasDir(`/sys/class/net/${name}/device`))) return [];
    return [{ name, mac: text(mac), speedMbps: positiveInteger(speed) }];
  });
  return (await Promise.all(networks)).flat();
}
