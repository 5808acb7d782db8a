/**
 * Settings from the environment and from equivalent flags, checked by one zod schema whose fields parse strings.
 * A field `logLevel` is LOG_LEVEL and --log-level; `aliases` adds further names. The agent does not use this, because zod would double its size.
 */
import * as z from 'zod';
import { LOG_LEVELS } from './log.js';
import { nearest } from './nearest-name.js';
import { ConfigFaults, PrintRequest } from './run.js';
import { VERSION } from './version.js';

type Env = Readonly<Record<string, string | undefined>>;

/** Further names of a setting; its own name takes precedence. */
export interface Aliases {
  env?: readonly string[];
  flags?: readonly string[];
}

export interface ConfigOptions<S extends z.ZodRawShape> {
  program: string;
  /** One sentence for `--help`. */
  purpose: string;
  /** Each field needs a description; one that is neither optional nor has a default is required. */
  settings: z.ZodObject<S>;
  aliases?: { readonly [K in keyof S]?: Aliases };
}

/** `true`, `false` and their common spellings; as a flag it needs no value. */
export const booleanSetting = () =>
  z.stringbool({ truthy: ['true', '1', 'yes', 'on'], falsy: ['false', '0', 'no', 'off'] });

/** A port, also as `:8081` or `0.0.0.0:8081`; 0 disables it. */
export const portSetting = () =>
  z
    .string()
    .regex(/^([^:]*:)?\d{1,5}$/, 'expected a port, such as 8081 or :8081')
    .transform(text => Number(text.split(':').at(-1)))
    .refine(number => number <= 65_535, 'a port is at most 65535');

/** Values separated by commas or spaces: `a,b, c`. */
export const listSetting = () => z.string().transform(text => text.split(/[\s,]+/).filter(item => item !== ''));

export const integerSetting = (min = 0) =>
  z.string().regex(/^\d+$/, 'expected a whole number').transform(Number).pipe(z.int().min(min));

/** Settings of every program; spread them into its own. */
export const baseSettings = {
  logLevel: z.enum(LOG_LEVELS).default('info').describe('Lowest level that is logged.'),
  healthPort: portSetting().default(8081).describe('Port of /healthz and /readyz; 0 disables it.'),
};
export const baseAliases = { healthPort: { flags: ['health-probe-bind-address'] } } satisfies Record<string, Aliases>;

interface Setting {
  field: string;
  env: readonly string[];
  flags: readonly string[];
  description: string;
  isSwitch: boolean;
  isRequired: boolean;
  /** Empty when there is none. */
  defaultText: string;
}

const snakeCase = (field: string) => field.replaceAll(/[A-Z]/g, letter => `_${letter}`);

/** A value as it would be typed on the command line. */
function asText(value: unknown): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) return value.join(',');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function settingsOf<S extends z.ZodRawShape>({ settings, aliases = {} }: ConfigOptions<S>): Setting[] {
  const aliasesOf: Readonly<Record<string, Aliases | undefined>> = aliases;
  return Object.entries(settings.shape).map(([field, schema]) => {
    const parsedTrue = z.safeParse(schema, 'true');
    const unset = z.safeParse(schema, undefined);
    return {
      field,
      env: [snakeCase(field).toUpperCase(), ...(aliasesOf[field]?.env ?? [])],
      flags: [snakeCase(field).toLowerCase().replaceAll('_', '-'), ...(aliasesOf[field]?.flags ?? [])],
      description: z.globalRegistry.get(schema)?.description ?? '',
      isSwitch: parsedTrue.success && parsedTrue.data === true,
      isRequired: !unset.success,
      defaultText: asText(unset.data),
    };
  });
}

/** The reader throws `ConfigFaults` with all mistakes at once, and `PrintRequest` when asked for help or the version. */
export function configReader<S extends z.ZodRawShape>(
  options: ConfigOptions<S>,
): (env: Env, argv: readonly string[]) => z.output<z.ZodObject<S>> {
  const settings = settingsOf(options);
  return (env, argv) => {
    if (argv.some(arg => /^(-h|--?help)$/.test(arg))) throw new PrintRequest(helpText(options, settings));
    if (argv.some(arg => /^--?version$/.test(arg))) throw new PrintRequest(`${options.program} ${VERSION}`);
    const flags = readFlags(settings, argv);
    const given = Object.fromEntries(
      settings.map(({ field, env: names }) => {
        const fromEnv = names.map(name => env[name]).find(value => value !== undefined && value !== '');
        return [field, flags.values.get(field) ?? fromEnv];
      }),
    );
    const parsed = options.settings.safeParse(given);
    const faults = [...flags.faults, ...(parsed.error?.issues ?? []).map(issue => faultText(issue, settings, given))];
    if (!parsed.success || faults.length > 0) throw new ConfigFaults(faults);
    return parsed.data;
  };
}

function readFlags(settings: readonly Setting[], argv: readonly string[]) {
  const values = new Map<string, string>();
  const faults: string[] = [];
  const names = settings.flatMap(({ flags }) => flags);
  const rest = [...argv];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    const [, name, value] = /^--?([^=-][^=]*)(?:=(.*))?$/s.exec(arg) ?? [];
    const setting = settings.find(({ flags }) => name !== undefined && flags.includes(name));
    if (name === undefined) faults.push(`${arg}: unexpected argument; settings are given as --name=value`);
    else if (!setting) faults.push(unknownFlag(name, names));
    else if (value !== undefined) values.set(setting.field, value);
    else if (setting.isSwitch) values.set(setting.field, 'true');
    else if (rest[0] === undefined || /^--?[a-z]/.test(rest[0])) faults.push(`--${name}: missing value`);
    else values.set(setting.field, rest.shift() ?? '');
    /* The value of an unknown flag must not be reported as a second mistake. */
    if (name !== undefined && !setting && value === undefined && rest[0] !== undefined && !rest[0].startsWith('-'))
      rest.shift();
  }
  return { values, faults };
}

function unknownFlag(name: string, names: readonly string[]): string {
  const meant = nearest(name, names);
  return `--${name}: unknown flag${meant === undefined ? '' : `; did you mean --${meant}?`}`;
}

function faultText(issue: z.core.$ZodIssue, settings: readonly Setting[], given: Record<string, unknown>): string {
  const field = String(issue.path[0] ?? '');
  const setting = settings.find(one => one.field === field);
  if (!setting) return issue.message;
  const label = `${setting.env[0]} (--${setting.flags[0]})`;
  return given[field] === undefined
    ? `${label}: required`
    : `${label}: ${issue.message}; got ${JSON.stringify(given[field])}`;
}

function helpText<S extends z.ZodRawShape>(options: ConfigOptions<S>, settings: readonly Setting[]): string {
  const rows = settings.flatMap(setting => [
    `  --${setting.flags.join(', --')}`,
    `      ${setting.description}${setting.description === '' ? '' : ' '}[${setting.env.join(', ')}${whenUnset(setting)}]`,
  ]);
  const head = [
    `${options.program} ${VERSION}: ${options.purpose}`,
    '',
    'Flags, with their environment variables in brackets:',
  ];
  return [...head, ...rows].join('\n');
}

function whenUnset({ isRequired, defaultText }: Setting): string {
  if (isRequired) return '; required';
  return defaultText === '' ? '' : `; default ${defaultText}`;
}
