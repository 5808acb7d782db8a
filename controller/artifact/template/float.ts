/** Formats floating-point numbers for `printf`: exactly, and with halves rounded to the even digit. */
import { UnlocatedError } from './errors.js';
import { type Layout, pad, signOf } from './layout.js';

/** 0.DIGITS × 10^point, without trailing zeros; without digits for 0. */
interface Decimal {
  digits: string;
  point: number;
}

const trimmed = ({ digits, point }: Decimal): Decimal => {
  const kept = digits.replace(/0+$/, '');
  return { digits: kept, point: kept === '' ? 0 : point };
};

/** The fewest digits that identify the number. */
function shortest(value: number): Decimal {
  const [, whole = '', fraction = '', exponent = '0'] =
    /^(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(value.toExponential()) ?? [];
  return trimmed({ digits: whole === '0' ? '' : whole + fraction, point: Number(exponent) + 1 });
}

/** All decimal digits of the binary value. */
function exact(value: number): Decimal {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  const raw = bits.getBigUint64(0);
  const stored = Number((raw >> 52n) & 0x7ffn);
  const fraction = raw & 0xfffffffffffffn;
  const mantissa = stored === 0 ? fraction : fraction | 0x10000000000000n;
  const exponent = Math.max(stored, 1) - 1075;
  if (mantissa === 0n) return { digits: '', point: 0 };
  const scaled = exponent >= 0 ? mantissa << BigInt(exponent) : mantissa * 5n ** BigInt(-exponent);
  const digits = scaled.toString();
  return trimmed({ digits, point: digits.length + Math.min(exponent, 0) });
}

/** Rounded to `keep` digits, which may be none. */
function rounded({ digits, point }: Decimal, keep: number): Decimal {
  if (keep < 0) return { digits: '', point: 0 };
  if (keep >= digits.length) return { digits, point };
  const kept = digits.slice(0, keep);
  const isHalf = digits.length === keep + 1 && digits[keep] === '5';
  const isOdd = keep > 0 && Number(digits[keep - 1]) % 2 === 1;
  if (isHalf ? !isOdd : (digits[keep] ?? '0') < '5') return trimmed({ digits: kept, point });
  const up = (BigInt(kept || '0') + 1n).toString().padStart(keep, '0');
  return trimmed({ digits: up, point: up.length > keep ? point + 1 : point });
}

function withExponent({ digits, point }: Decimal, decimals: number): string {
  const exponent = digits === '' ? 0 : point - 1;
  const fraction = digits.slice(1).padEnd(decimals, '0').slice(0, decimals);
  const power = `${exponent < 0 ? '-' : '+'}${Math.abs(exponent).toString().padStart(2, '0')}`;
  return `${digits[0] ?? '0'}${decimals > 0 ? `.${fraction}` : ''}e${power}`;
}

function withoutExponent({ digits, point }: Decimal, decimals: number): string {
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '0';
  const decimalsText = '0'.repeat(Math.max(-point, 0)) + digits.slice(Math.max(point, 0));
  return decimals > 0 ? `${whole}.${decimalsText.padEnd(decimals, '0').slice(0, decimals)}` : whole;
}

/** With an exponent for large and small numbers: without a precision, from 10^6 on and below 10^-4. */
function general(value: number, precision: number | undefined): string {
  const decimal = precision === undefined ? shortest(value) : rounded(exact(value), precision || 1);
  const { digits, point } = decimal;
  const wanted = precision === undefined ? digits.length : precision || 1;
  const fits = digits.length >= point ? Math.min(wanted, digits.length) : wanted;
  const limit = precision === undefined ? 6 : fits;
  const exponent = point - 1;
  if (exponent < -4 || exponent >= limit) return withExponent(decimal, Math.min(wanted, digits.length) - 1);
  const shown = wanted > point ? digits.length : wanted;
  return withoutExponent(decimal, Math.max(shown - point, 0));
}

function magnitude(value: number, verb: string, precision: number | undefined): string {
  const decimals = precision ?? 6;
  if (verb === 'g') return general(value, precision);
  const decimal = exact(value);
  if (verb === 'e') return withExponent(rounded(decimal, decimals + 1), decimals);
  return withoutExponent(rounded(decimal, decimal.point + decimals), decimals);
}

/** The flag `#`: always a decimal point, and for `g` also trailing zeros. */
function completed(text: string, verb: string, precision: number | undefined): string {
  const [mantissa = '', power] = text.split('e');
  const digits = mantissa.replace('.', '').replace(/^0+/, '').length || (mantissa === '0' ? 1 : 0);
  const missing = verb === 'g' ? Math.max((precision ?? 6) - digits, 0) : 0;
  const point = mantissa.includes('.') ? '' : '.';
  return `${mantissa}${point}${'0'.repeat(missing)}${power === undefined ? '' : `e${power}`}`;
}

const VERBS: Record<string, string> = { v: 'g', g: 'g', G: 'g', e: 'e', E: 'e', f: 'f', F: 'f' };

/** Undefined if there is no such verb for floating-point numbers. */
export function formatFloat(value: number, verb: string, layout: Layout): string | undefined {
  if (/[bxX]/.test(verb)) throw new UnlocatedError('floatVerb');
  const form = VERBS[verb];
  if (form === undefined) return undefined;
  const { sharp, precision, zero, minus, width = 0 } = layout;
  const text = magnitude(Math.abs(value), form, precision);
  const full = sharp ? completed(text, form, precision) : text;
  const cased = /[EG]/.test(verb) ? full.toUpperCase() : full;
  const sign = signOf(value < 0 || Object.is(value, -0), layout);
  if (zero && !minus) return sign + pad(cased, { ...layout, width: width - sign.length });
  return pad(sign + cased, layout);
}
