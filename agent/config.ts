/** The agent's settings, from environment variables and equivalent flags. They are validated by hand: a schema library would double the bundle. */
import { SERVICE_ACCOUNT_DIR } from '../kube/connection.js';
import { LOG_LEVELS, type LogLevel } from '../program/log.js';
import { type BaseConfig, ConfigFaults, PrintRequest } from '../program/run.js';
import { VERSION } from '../program/version.js';

export interface Config extends BaseConfig {
  nodeName: string;
  /** Where the root of the host is mounted. */
  hostRoot: string;
  serviceAccountDir: string;
  /** Port of `/healthz` and `/readyz`; 0 means none. It listens on 127.0.0.1 only, because the agent uses the host's network. */
  probePort: number;
  /** Whether to report the machine's hardware as well. */
  systemFacts: boolean;
}

const SETTINGS = [
  ['NODE_NAME', 'node-name', 'name of the node that this agent runs on (required)'],
  ['HOST_ROOT', 'host-root', 'where the root of the host is mounted (/host)'],
  ['LOG_LEVEL', 'log-level', `${LOG_LEVELS.join(', ')} (info)`],
  ['SERVICE_ACCOUNT_DIR', 'service-account-dir', `directory with token and ca.crt (${SERVICE_ACCOUNT_DIR})`],
  ['SYSTEM_FACTS', 'system-facts', 'true: also report processor, memory, disks and network interfaces (false)'],
  ['HEALTH_PORT', 'health-port', 'port of /healthz and /readyz on 127.0.0.1; 0: none (0)'],
] as const;

/** The output of `--help`. */
export const HELP = [
  'agent            labels its node, answers upgrade checks, reboots on request',
  'agent sentinel   records that a Job succeeded (JOB_NAME, SENTINEL_DIR)',
  'agent --version',
  '',
  'Settings, as environment variable or flag:',
  ...SETTINGS.map(([name, flag, text]) => `  ${name.padEnd(20)} --${flag.padEnd(20)} ${text}`),
].join('\n');

const isLogLevel = (text: string): text is LogLevel => LOG_LEVELS.some(level => level === text);

/** Throws `ConfigFaults` with all faults at once, or `PrintRequest` when the command line asks for a text such as the help. */
export function readConfig(env: Record<string, string | undefined>, argv: readonly string[]): Config {
  if (argv.includes('--help') || argv.includes('-h')) throw new PrintRequest(HELP);
  if (argv.includes('--version')) throw new PrintRequest(VERSION);
  const faults: string[] = [];
  const { flags, unknown } = readFlags(argv);
  for (const argument of unknown) faults.push(`${argument}: unknown flag, or a flag without a value`);
  const value = (name: string) => flags.get(name) ?? (env[name] === '' ? undefined : env[name]);

  const nodeName = value('NODE_NAME') ?? '';
  if (nodeName === '') faults.push('NODE_NAME: required');
  const hostRoot = value('HOST_ROOT') ?? '/host';
  if (!hostRoot.startsWith('/')) faults.push(`HOST_ROOT: ${hostRoot}: must be an absolute path`);
  const logLevel = value('LOG_LEVEL') ?? 'info';
  if (!isLogLevel(logLevel)) faults.push(`LOG_LEVEL: ${logLevel}: must be one of ${LOG_LEVELS.join(', ')}`);
  const port = value('HEALTH_PORT') ?? '0';
  const probePort = Number(port);
  if (!/^\d+$/.test(port) || probePort > 65_535) faults.push(`HEALTH_PORT: ${port}: must be a port number, or 0`);
  const system = value('SYSTEM_FACTS') ?? 'false';
  if (!['true', 'false'].includes(system)) faults.push(`SYSTEM_FACTS: ${system}: must be true or false`);
  if (faults.length > 0 || !isLogLevel(logLevel)) throw new ConfigFaults(faults);
  const serviceAccountDir = value('SERVICE_ACCOUNT_DIR') ?? SERVICE_ACCOUNT_DIR;
  return { nodeName, hostRoot, logLevel, serviceAccountDir, probePort, systemFacts: system === 'true' };
}

function readFlags(argv: readonly string[]): { flags: Map<string, string>; unknown: string[] } {
  const flags = new Map<string, string>();
  const unknown: string[] = [];
  for (let at = 0; at < argv.length; at += 1) {
    const argument = argv[at] ?? '';
    const [flag, inline] = splitOnce(argument, '=');
    const known = SETTINGS.find(([, name]) => flag === `--${name}`);
    const next = inline ?? argv[at + 1];
    if (!known || next === undefined) {
      unknown.push(argument);
      continue;
    }
    flags.set(known[0], next);
    if (inline === undefined) at += 1;
  }
  return { flags, unknown };
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}
