/** Formats one value by one verb. */
import { Writer } from './budget.js';
import { UnlocatedError } from './errors.js';
import { formatFloat } from './float.js';
import { formatHex, formatInteger } from './integer.js';
import { type Layout, pad, truncated } from './layout.js';
import { canBackquote, quoted } from './quote.js';
import { string, typeName, type Value } from './value.js';

export function formatValue(value: Value, verb: string, layout: Layout): string {
  if (verb === 'T') return pad(value.is === 'nil' ? '<nil>' : truncated(typeName(value), layout), layout);
  return formatKnown(value, verb, layout) ?? unknownVerb(value, verb, layout);
}

/** The text for a verb that does not apply to the value: verb, type and value. */
function unknownVerb(value: Value, verb: string, layout: Layout): string {
  if (value.is === 'nil') return `%!${verb}(<nil>)`;
  return `%!${verb}(${typeName(value)}=${formatValue(value, 'v', layout)})`;
}

function formatKnown(value: Value, verb: string, layout: Layout): string | undefined {
  switch (value.is) {
    case 'nil':
      return verb === 'v' ? pad('<nil>', layout) : undefined;
    case 'bool':
      return verb === 't' || verb === 'v' ? pad(String(value.value), layout) : undefined;
    case 'int':
    case 'byte':
      return formatInteger(value.value, verb, layout, value.is === 'int');
    case 'float':
      return formatFloat(value.value, verb, layout);
    case 'string':
      return formatString(value.value, verb, layout);
    default:
      return formatMap(value.value, verb, layout);
  }
}

function formatString(bytes: string, verb: string, layout: Layout): string | undefined {
  if (verb === 'x' || verb === 'X') return formatHex(bytes, verb, layout);
  if (verb !== 'q' && verb !== 's' && verb !== 'v') return undefined;
  const text = truncated(bytes, layout);
  if (verb === 's' || (verb === 'v' && !layout.asSource)) return pad(text, layout);
  if (layout.sharp && canBackquote(text)) return pad(`\`${text}\``, layout);
  return pad(quoted(text, layout.plus), layout);
}

function formatMap(map: ReadonlyMap<string, string>, verb: string, layout: Layout): string {
  if (verb === 'p') throw new UnlocatedError('pointerVerb');
  const writer = new Writer();
  writer.add(layout.asSource ? 'map[string]string{' : 'map[');
  let first = true;
  for (const [key, value] of map) {
    if (!first) writer.add(layout.asSource ? ', ' : ' ');
    first = false;
    writer.add(`${formatValue(string(key), verb, layout)}:${formatValue(string(value), verb, layout)}`);
  }
  writer.add(layout.asSource ? '}' : ']');
  return writer.toString();
}
