/**
 * The machine itself, for those who keep a fleet: what it is, and what is in it. Off by default. systeminformation is a file of its own
 * beside the agent, loaded only when somebody wants to know, so that nobody else pays for it.
 */
import { availableParallelism } from 'node:os';
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { System } from '../api/node-agent.js';
import type { Host } from './host.js';

/** Where the image has the library. */
export const SYSTEM_LIBRARY = '/app/systeminformation.cjs';

/** The few answers that the library has without a shell beside it; what it asks programs for would come out empty in the image. */
interface Library {
  cpu(): Promise<unknown>;
  mem(): Promise<unknown>;
  networkInterfaces(): Promise<unknown>;
}

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : {});

/** What makers write into machines that nobody has named. */
const NO_NAME =
  /^(|none|-|default string|unknown|not specified|to be filled by o\.e\.m\.|system (serial number|product name|manufacturer))$/i;
const LONGEST = 128;

/** Undefined where there is nothing to say. */
function text(value: unknown): string | undefined {
  const trimmed = typeof value === 'string' ? value.replaceAll('\0', '').trim().slice(0, LONGEST) : '';
  return NO_NAME.test(trimmed) ? undefined : trimmed;
}
const count = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined;

/** `library`: a file, or the name of a package. */
export async function lookAtSystem(host: Host, library: string): Promise<System> {
  const asked = await load(library);
  const dmi = (name: string) => read(host, `/sys/class/dmi/id/${name}`);
  const [processor, memory, cards] = await Promise.all([asked.cpu(), asked.mem(), asked.networkInterfaces()]);
  return {
    vendor: await dmi('sys_vendor'),
    product: await dmi('product_name'),
    serial: await dmi('product_serial'),
    cpu: { model: brand(fieldsOf(processor)), cores: availableParallelism() },
    memoryBytes: count(fieldsOf(memory).total),
    disks: await disksOf(host),
    networks: await networksOf(host, Array.isArray(cards) ? cards.map(fieldsOf) : []),
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

const brand = ({ manufacturer, brand: model }: Fields): string | undefined =>
  [text(manufacturer), text(model)].filter(word => word !== undefined).join(' ') || undefined;

/** Devices with hardware behind them: no loop devices, no RAM disks, no mapped volumes. */
async function disksOf(host: Host): Promise<System['disks']> {
  const names = (await host.list('/sys/block')).toSorted();
  const looks = names.map(async name => {
    if (!(await host.hasDir(`/sys/block/${name}/device`))) return [];
    /* In sectors of 512 bytes, whatever the disk's own are. */
    const sizeBytes = count(Number(await read(host, `/sys/block/${name}/size`)) * 512);
    if (sizeBytes === undefined) return [];
    return [{ name, sizeBytes, model: await read(host, `/sys/block/${name}/device/model`) }];
  });
  return (await Promise.all(looks)).flat();
}

/** The host's own cards; not what the cluster's network made. */
async function networksOf(host: Host, cards: readonly Fields[]): Promise<System['networks']> {
  const looks = cards.map(async card => {
    const name = text(card.iface);
    if (name === undefined || !(await host.hasDir(`/sys/class/net/${name}/device`))) return [];
    return [{ name, mac: text(card.mac), speedMbps: count(card.speed) }];
  });
  return (await Promise.all(looks)).flat();
}
